internal import Configuration
internal import Observability
internal import Sessions
internal import System
internal import WebSocketProtocol

/// How a session ended, for the log and for operators.
struct SessionEnd {
    let ending: Ending
    /// That of the Close that the client sent or received; `nil` if there was none.
    let code: CloseCode?
    /// Since the client was accepted.
    let duration: Duration
    /// What passed.
    let tally: PerLeg<MessageTally>
    /// What the client was told in the gateway's own Close.
    var reason: String?
    /// What there is to say besides the cause.
    var detail: String?
    /// Bytes that are lost, by the leg that did not get them.
    var undelivered: PerLeg<Int>?

    init(_ ending: Ending, code: CloseCode?, after duration: Duration, _ tally: PerLeg<MessageTally>) {
        self.ending = ending
        self.code = code
        self.duration = duration
        self.tally = tally
    }
}

extension LogSubject {
    /// Logs the end of a session, and keeps it for operators.
    func closed(_ end: SessionEnd, _ context: SessionContext) {
        context.log.feed.add(
            ClosedSession(
                at: WallClock.sinceEpoch(), session: self.id, route: self.routeName, backend: self.route?.backend?.name,
                endpoint: self.endpoint?.name, client: self.clientName, cause: end.ending.cause,
                code: end.code?.rawValue, by: end.ending.by.name, reason: end.reason, detail: end.detail,
                duration: end.duration))
        guard var record = self.record(.info, "close", context) else { return }
        record.add("cause", end.ending.cause.rawValue)
        record.add("code", end.code.map { "\($0)" } ?? "none")
        record.add("by", end.ending.by.name)
        record.add("reason", end.reason)
        record.add("detail", end.detail)
        record.add("duration", seconds: end.duration.secondsAsDouble)
        record.add("messages_to_backend", end.tally.client.messages)
        record.add("messages_to_client", end.tally.backend.messages)
        record.add("bytes_to_backend", end.tally.client.payloadBytes)
        record.add("bytes_to_client", end.tally.backend.payloadBytes)
        if let undelivered = end.undelivered {
            if undelivered.backend > 0 { record.add("undelivered_to_backend", undelivered.backend) }
            if undelivered.client > 0 { record.add("undelivered_to_client", undelivered.client) }
        }
        context.log.write(record)
    }
}
