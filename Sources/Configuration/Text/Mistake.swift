/// What is wrong with a value, as the end of a sentence that starts with its key: "must be … , not `x`".
public struct Mistake: Error, Equatable, Sendable {
    /// The end of the sentence, without a full stop.
    public var problem: String

    init(_ problem: String) {
        self.problem = problem
    }

    /// "must be EXPECTED, not `TEXT`", and the cure.
    static func expected(_ expected: String, not text: String, hint: String? = nil) -> Self {
        Self("must be \(expected), not `\(text)`" + (hint.map { ": \($0)" } ?? ""))
    }
}
