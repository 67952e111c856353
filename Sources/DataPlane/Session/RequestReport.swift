internal import Admission
internal import Configuration
internal import Observability
internal import Sessions
internal import System

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

    /// Logs the request, which is over, where `log.requests` wants it.
    ///
    /// - Parameter subject: what the line begins with. Most requests are not logged.
    func log(of subject: @autoclosure () -> LogSubject, _ context: SessionContext) {
        switch context.configuration.shared.settings.log.requests {
        case .off: return
        case .errors: guard self.isError else { return }
        case .all: break
        }
        let subject = subject()
        guard var record = subject.record(.info, "request", context) else { return }
        record.add("method", self.method.cut)
        let routes = context.configuration.shared.routeTable
        record.add("path", routes.withoutToken(self.path, on: subject.route?.settings).cut)
        if let status = self.status { record.add("status", status) }
        record.add("bytes", self.bytes)
        record.add("reason", self.brokenOff?.cut)
        record.add("duration", seconds: self.duration.secondsAsDouble)
        context.log.write(record)
    }
}
