internal import Admission
internal import Configuration
internal import Observability
internal import Sessions
internal import System

/// The fields that all log lines of a client and its session begin with.
struct LogSubject {
    let id: SessionID
    let address: SocketAddress
    let summary: SessionSummary
    let route: Route?
    let endpoint: Endpoint?
    /// What was asked for, where that is refused; `nil` without a whole request.
    var asked: RequestedPlace?

    /// The client as trusted proxies name it.
    var clientName: String { self.summary.clientName(at: self.address) }

    var routeName: String { self.route?.settings.name ?? "-" }

    /// A record with the fields of all lines; `nil` if there is no use for it.
    func record(_ level: LogLevel, _ event: String, _ context: SessionContext) -> LogRecord? {
        guard context.log.takes(level, event) else { return nil }
        var record = LogRecord(level, event)
        record.add("session", self.id.description)
        record.add("client", self.clientName)
        record.add("route", self.routeName)
        record.add("backend", self.route?.backend?.name)
        record.add("endpoint", self.endpoint?.name)
        record.add("origin", self.summary.origin)
        record.add("subject", self.summary.credential?.subject?.cut)
        record.add("request_id", self.summary.names?.requestID)
        record.add("trace_id", self.summary.names?.traceID?.description)
        return record
    }

    /// The record of a connection that is no session; `nil` while such lines are only counted.
    ///
    /// - Parameter reason: lines with the same reason are counted together.
    private func strangersRecord(
        _ level: LogLevel, _ event: String, status: Int? = nil, reason: String, _ context: SessionContext
    ) -> LogRecord? {
        let client = (self.summary.client ?? self.address.ip)?.subscriber.description ?? "unix"
        let kind = StrangersLog.Kind(
            level: level, event: event, client: client, route: self.routeName, status: status, reason: reason)
        return context.strangers.takes(kind) ? self.record(level, event, context) : nil
    }

    // MARK: - Without a session

    /// Logs and counts a refusal.
    ///
    /// - Parameter phase: how far the session had come.
    func refused(_ refusal: Refusal, in phase: Phase, _ context: SessionContext) {
        context.metrics.refused(route: self.route?.settings.name, status: refusal.status)
        self.remember(refusal.status, refusal.detail, context)
        guard
            var record = self.strangersRecord(
                Self.level(of: refusal.status), "refused", status: refusal.status, reason: refusal.kind, context)
        else { return }
        record.add("status", refusal.status)
        record.add("reason", refusal.detail.cut)
        record.add("phase", phase.rawValue)
        context.log.write(record)
    }

    /// What a backend failed at is no client's doing: 502 to 504.
    private static func level(of status: Int) -> LogLevel { (502...504).contains(status) ? .warning : .info }

    /// Logs and counts a connection that ended before there was anything to answer: a port scan, or a browser's spare connection.
    func abandoned(_ reason: String, in phase: Phase, _ context: SessionContext) {
        context.metrics.abandoned(route: self.route?.settings.name)
        guard var record = self.strangersRecord(.debug, "abandoned", reason: reason, context) else { return }
        record.add("reason", reason.cut)
        record.add("phase", phase.rawValue)
        context.log.write(record)
    }

    /// Logs and counts a connection that had to make room for another.
    func evicted(in phase: Phase, after age: Duration, _ context: SessionContext) {
        context.metrics.evicted()
        let reason = "it had sent no request, and others needed the room"
        guard var record = self.strangersRecord(.info, "evicted", reason: reason, context) else { return }
        record.add("reason", reason)
        record.add("phase", phase.rawValue)
        record.add("age", seconds: age.secondsAsDouble)
        context.log.write(record)
    }

    /// Logs and counts a connection that is closed at once, because it breaks a rule of its listener.
    func turnedAway(by rule: DoorRule, _ context: SessionContext) {
        context.metrics.turnedAway(rule.result)
        if case .tooMany = rule { context.metrics.reached(.init(.connectionsPerAddress, of: .listener), route: nil) }
        let reason = rule.reason
        guard var record = self.strangersRecord(.info, "refused", reason: reason, context) else { return }
        // Only those that have a line: at the door one address can be turned away any number of times, and would hide all others.
        self.remember(nil, reason, context)
        record.add("reason", reason)
        context.log.write(record)
    }

    /// Keeps a refusal for operators, however many there are.
    private func remember(_ status: Int?, _ reason: String, _ context: SessionContext) {
        let path = self.asked?.path.map {
            context.configuration.shared.routeTable.withoutToken($0, on: self.route?.settings).cut
        }
        context.log.feed.add(
            RefusedRequest(
                at: WallClock.sinceEpoch(), client: self.clientName, host: self.asked?.host?.cut, path: path,
                route: self.route?.settings.name, origin: self.summary.origin, status: status,
                reason: reason.cut))
    }

    // MARK: - Memory

    /// Logs that it ends because memory is scarce.
    func givesWay(_ holder: MemoryHolder, _ context: SessionContext) {
        guard var record = self.record(.debug, "gives-way", context) else { return }
        record.add("held", holder.bytes)
        record.add("without_progress", seconds: holder.idle.secondsAsDouble)
        context.log.write(record)
    }
}

extension LogSubject {
    /// A connection that was just accepted.
    init(at address: SocketAddress) {
        self.init(id: .random(), address: address, summary: SessionSummary(), route: nil, endpoint: nil)
    }
}
