internal import Admission
internal import Configuration
internal import Connections
internal import Observability
internal import Sessions
internal import System
internal import TLS
internal import WebSocketProtocol

/// The session's log lines: `open`, `close`, `refused`, and `abandoned` at the debug level. All begin with the same fields.
extension Session {
    func logOpen() {
        guard var record = self.record(.info, "open") else { return }
        record.add("subprotocol", self.summary.subprotocol.shown?.cut)
        record.add("tls", self.client?.tls?.version)
        self.context.log.write(record)
    }

    func logRefused(_ refusal: Refusal, in phase: Phase) {
        guard var record = self.strangersRecord(.info, "refused", status: refusal.status, reason: refusal.kind) else {
            return
        }
        record.add("status", refusal.status)
        record.add("reason", refusal.detail.cut)
        record.add("phase", phase.rawValue)
        self.context.log.write(record)
    }

    /// A connection that ended before there was anything to answer: a port scan, or a browser's spare connection.
    func logAbandoned(_ reason: String, in phase: Phase) {
        guard var record = self.strangersRecord(.debug, "abandoned", reason: reason) else { return }
        record.add("reason", reason.cut)
        record.add("phase", phase.rawValue)
        self.context.log.write(record)
    }

    /// The session ends because memory is scarce.
    func logGivesWay(_ holder: MemoryHolder) {
        guard var record = self.record(.debug, "gives-way") else { return }
        record.add("held", holder.bytes)
        record.add("without_progress", seconds: holder.idle.secondsAsDouble)
        self.context.log.write(record)
    }

    /// The connection had to make room for another.
    ///
    /// - Parameter phase: how far it had come.
    func logEvicted(in phase: Phase) {
        let reason = "it had sent no request, and others needed the room"
        guard var record = self.strangersRecord(.info, "evicted", reason: reason) else { return }
        record.add("reason", reason)
        record.add("phase", phase.rawValue)
        record.add("age", seconds: (self.loop.now - self.began).secondsAsDouble)
        self.context.log.write(record)
    }

    /// The record of a connection that is no session; `nil` while such lines are only counted.
    ///
    /// - Parameter reason: lines with the same reason are counted together.
    private func strangersRecord(
        _ level: LogLevel, _ event: String, status: Int? = nil, reason: String
    ) -> LogRecord? {
        let client = (self.summary.client ?? self.clientAddress.ip)?.subscriber.description ?? "unix"
        let kind = StrangersLog.Kind(
            level: level, event: event, client: client, route: self.routeName, status: status, reason: reason)
        return self.context.strangers.takes(kind) ? self.record(level, event) : nil
    }

    func logClose(_ conversation: any Conversation) {
        guard var record = self.record(.info, "close") else { return }
        let closing = self.machine.closing
        let ending = closing.ending ?? .byGateway(.internalError)
        record.add("cause", ending.cause.rawValue)
        record.add("code", closing.code.map { "\($0)" } ?? "none")
        record.add("by", ending.by.name)
        record.add("detail", (closing.detail ?? self.passedLimit(ending.cause))?.cut)
        record.add("duration", seconds: (self.loop.now - self.began).secondsAsDouble)
        let tally = conversation.tally
        record.add("messages_to_backend", tally.client.text + tally.client.binary)
        record.add("messages_to_client", tally.backend.text + tally.backend.binary)
        record.add("bytes_to_backend", tally.client.payloadBytes)
        record.add("bytes_to_client", tally.backend.payloadBytes)
        if let undelivered = self.closing?.undelivered {
            if undelivered.backend > 0 { record.add("undelivered_to_backend", undelivered.backend) }
            if undelivered.client > 0 { record.add("undelivered_to_client", undelivered.client) }
        }
        self.context.log.write(record)
    }

    /// The route's limit that ended the session: its key and value.
    private func passedLimit(_ cause: Cause) -> String? {
        guard let settings = self.route?.settings else { return nil }
        switch cause {
        case .slowConsumer: return "more waited for it than limits.queue: \(settings.limits.queue)"
        case .idleTimeout: return settings.timeouts.idle.map { "no message within timeouts.idle: \($0.shown)" }
        case .sessionTimeout: return settings.timeouts.session.map { "it was as long as timeouts.session: \($0.shown)" }
        default: return nil
        }
    }

    /// The client as trusted proxies name it.
    var clientName: String {
        self.summary.client?.description ?? self.clientAddress.ip?.description ?? "unix"
    }

    private var routeName: String { self.route?.settings.name ?? "-" }

    /// A record with the fields of all lines; `nil` if it is below the log's level.
    private func record(_ level: LogLevel, _ event: String) -> LogRecord? {
        guard self.context.log.takes(level) else { return nil }
        var record = LogRecord(level, event)
        record.add("session", self.id.description)
        record.add("client", self.clientName)
        record.add("route", self.routeName)
        record.add("backend", self.route?.backend?.name)
        record.add("endpoint", self.endpoint?.name)
        record.add("origin", self.summary.origin)
        record.add("request_id", self.summary.proxied?.requestID)
        return record
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
