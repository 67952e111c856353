/// What the log line of a plain request says.
struct RequestReport {
    let method: String
    private let target: String
    /// `nil` if there was no answer.
    let status: Int?
    /// How many bytes of the answer's body went to the client.
    let bytes: Int
    /// Since the request began.
    let duration: Duration
    /// Why the answer is not whole; `nil` if it is.
    let brokenOff: String?

    /// - Parameter target: of the request, with the query.
    init(
        _ method: String, _ target: String, status: Int?, bytes: Int, duration: Duration,
        brokenOff reason: String? = nil
    ) {
        self.method = method
        self.target = target
        self.status = status
        self.bytes = bytes
        self.duration = duration
        self.brokenOff = reason
    }

    /// Without the query, which may have secrets.
    var path: String { String(self.target.prefix { $0 != "?" }) }

    /// It was answered with 500 and up, or not whole.
    var isError: Bool { self.status.map { $0 >= 500 || self.brokenOff != nil } ?? false }
}
