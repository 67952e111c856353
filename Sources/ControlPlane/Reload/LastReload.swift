/// What became of the last reload.
public struct LastReload: Sendable {
    /// In RFC 3339.
    public var at: String
    /// `applied` or `refused`.
    public var result: String
    /// Why it was refused, a line each.
    public var mistakes: [String]

    init(_ outcome: ReloadOutcome, at time: String) {
        self.at = time
        switch outcome {
        case .applied:
            self.result = "applied"
            self.mistakes = []
        case .refused(let mistakes):
            self.result = "refused"
            self.mistakes = mistakes
        }
    }
}
