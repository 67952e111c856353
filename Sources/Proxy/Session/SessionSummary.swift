internal import Configuration
internal import EventLoop
internal import TLS
internal import WebSocketProtocol

/// What the log says of a session beside its end.
struct SessionSummary {
    /// The client as far as proxies we trust name it; `nil`: the peer itself.
    var client: IPAddress?
    var origin: String?
    var subprotocol: String?
}

/// The session's lines in the log: `open`, `close`, `refused`, and (at the debug level) `abandoned`. All of them have the same fields
/// in front.
extension Session {
    func logOpen() {
        guard var record = self.record(.info, "open") else { return }
        record.add("subprotocol", self.summary.subprotocol)
        record.add("tls", self.client?.tls?.version)
        self.worker.log.write(record)
    }

    func logRefused(status: Int, reason: String) {
        guard var record = self.record(.info, "refused") else { return }
        record.add("status", status)
        record.add("reason", reason)
        record.add("phase", self.phase.rawValue)
        self.worker.log.write(record)
    }

    /// A connection that came to nothing before there was anything to answer: a port scan, a browser's spare connection.
    func logAbandoned(_ reason: String) {
        guard var record = self.record(.debug, "abandoned") else { return }
        record.add("reason", reason)
        record.add("phase", self.phase.rawValue)
        self.worker.log.write(record)
    }

    /// It has to give up what it holds.
    func logGivesWay(_ holder: MemoryHolder) {
        guard var record = self.record(.debug, "gives-way") else { return }
        record.add("held", holder.bytes)
        record.add("without_progress", seconds: holder.idle.secondsAsDouble)
        self.worker.log.write(record)
    }

    func logClose(_ conversation: any Conversation) {
        guard var record = self.record(.info, "close") else { return }
        let ending = conversation.closing.ending ?? .byGateway(.internalError)
        record.add("cause", ending.cause.rawValue)
        record.add("code", conversation.closing.code.map { "\($0)" } ?? "none")
        record.add("by", ending.by.name)
        record.add("detail", conversation.detail)
        record.add("duration", seconds: (self.worker.loop.now - self.began).secondsAsDouble)
        record.add("messages_to_backend", conversation.tally.client.text + conversation.tally.client.binary)
        record.add("messages_to_client", conversation.tally.backend.text + conversation.tally.backend.binary)
        record.add("bytes_to_backend", conversation.tally.client.payloadBytes)
        record.add("bytes_to_client", conversation.tally.backend.payloadBytes)
        self.worker.log.write(record)
    }

    /// The client as far as proxies we trust name it.
    var clientName: String {
        self.summary.client?.description ?? self.clientAddress.ip?.description ?? "unix"
    }

    /// The fields that all lines have; `nil` below the log's level.
    private func record(_ level: LogSettings.Level, _ event: String) -> LogRecord? {
        guard self.worker.log.takes(level) else { return nil }
        var record = LogRecord(level, event)
        record.add("session", self.id.description)
        record.add("client", self.clientName)
        record.add("route", self.route?.settings.name ?? "-")
        record.add("backend", self.route?.backend?.name)
        record.add("endpoint", self.endpoint?.name)
        record.add("origin", self.summary.origin)
        return record
    }
}
