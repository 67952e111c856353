internal import Admission
internal import Configuration
internal import Connections
internal import Observability
internal import Sessions
internal import System
internal import TLS
internal import WebSocketProtocol

/// The session's log lines `open` and `close`; `LogSubject` has the others.
extension Session {
    func logOpen() {
        guard var record = self.subject.record(.info, "open", self.context) else { return }
        record.add("subprotocol", self.summary.subprotocol.shown?.cut)
        record.add("tls", self.client?.tls?.version)
        self.context.log.write(record)
    }

    func logClose(_ conversation: any Conversation) {
        let closing = self.machine.closing
        let ending = closing.ending ?? .byGateway(.internalError)
        var end = SessionEnd(
            ending, code: closing.code, after: self.loop.now - self.began, conversation.tally)
        end.reason = closing.reason?.cut
        end.detail = (closing.detail ?? self.reason(for: ending.cause))?.cut
        end.undelivered = self.closing?.undelivered
        self.subject.closed(end, self.context)
    }

    /// The route's limit that ended the session, its key and value; or what the auth service said.
    private func reason(for cause: Cause) -> String? {
        guard let settings = self.route?.settings else { return nil }
        switch cause {
        case .slowConsumer: return "more waited for it than limits.queue: \(settings.limits.queue)"
        case .rateLimit: return "more came than limits.\(settings.limits.rates) allows"
        case .credentialExpired: return self.summary.credential?.renewal?.reason
        case .idleTimeout: return settings.timeouts.idle.map { "no message within timeouts.idle: \($0.shown)" }
        case .sessionTimeout: return settings.timeouts.session.map { "it was as long as timeouts.session: \($0.shown)" }
        default: return nil
        }
    }

    /// What the lines begin with.
    var subject: LogSubject {
        LogSubject(
            id: self.id, address: self.clientAddress, summary: self.summary, route: self.route, endpoint: self.endpoint)
    }

    /// The client as trusted proxies name it.
    var clientName: String { self.summary.clientName(at: self.clientAddress) }
}

extension Limits {
    /// The limits on what the client sends, as the file has them.
    fileprivate var rates: String {
        let messages = self.messagesPerSecond.map { "messages-per-second: \($0)" }
        let bytes = self.bytesPerSecond.map { "bytes-per-second: \($0)" }
        return [messages, bytes].compactMap { $0 }.joined(separator: " or limits.")
    }
}

/// The session's metrics.
extension Session {
    func countOpened() {
        guard let route = self.route, let backend = route.backend else { return }
        self.context.metrics.sessionOpened(
            route: route.settings.name, backend: backend.name, handshake: self.loop.now - self.began)
    }

    func countEnded(_ conversation: any Conversation) {
        guard let route = self.route, let backend = route.backend else { return }
        let closing = self.machine.closing
        self.context.metrics.sessionEnded(
            route: route.settings.name, backend: backend.name,
            cause: (closing.ending ?? .byGateway(.internalError)).cause, code: closing.code,
            lasted: self.loop.now - self.began, tally: conversation.tally)
    }
}
