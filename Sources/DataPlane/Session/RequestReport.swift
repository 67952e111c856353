internal import Admission
internal import Configuration
internal import Observability
internal import Sessions
internal import System

/// What the log line of a plain request says.
struct RequestReport {
    /// What was asked for.
    typealias Asked = (method: String, target: String)

    /// `nil` if there was no answer.
    let status: Int?
    /// How many bytes of the answer's body went to the client.
    let bytes: Int
    /// Since the request began.
    let duration: Duration
    /// Why the answer is not whole; `nil` if it is.
    let brokenOff: String?

    /// It was answered with 500 and up, or not whole.
    var isError: Bool { self.status.map { $0 >= 500 || self.brokenOff != nil } ?? false }

    /// Logs the request, which is over, where `log.requests` wants it.
    ///
    /// Most requests are not logged.
    ///
    /// - Parameters:
    ///   - asked: the target may have a query, which is left out: it may have secrets.
    ///   - subject: what the line begins with.
    func log(
        _ asked: @autoclosure () -> Asked, of subject: @autoclosure () -> LogSubject, _ context: SessionContext
    ) {
        switch context.configuration.shared.settings.log.requests {
        case .off: return
        case .errors: guard self.isError else { return }
        case .all: break
        }
        let (asked, subject) = (asked(), subject())
        guard var record = subject.record(.info, "request", context) else { return }
        record.add("method", asked.method.cut)
        let routes = context.configuration.shared.routeTable
        let path = String(asked.target.prefix { $0 != "?" })
        record.add("path", routes.withoutToken(path, on: subject.route?.settings).cut)
        if let status = self.status { record.add("status", status) }
        record.add("bytes", self.bytes)
        record.add("reason", self.brokenOff?.cut)
        record.add("duration", seconds: self.duration.secondsAsDouble)
        context.log.write(record)
    }
}
