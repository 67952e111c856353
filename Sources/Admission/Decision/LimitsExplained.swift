internal import Configuration

/// The limits that could refuse a request, or hold back its session, for `explain`. Whether they are reached depends on the moment.
struct LimitsExplained {
    /// What would be answered instead, and why: one line each.
    private(set) var unless: [String] = []
    /// What holds for the messages of the session; empty if nothing does.
    private(set) var rates = ""

    /// - Parameters:
    ///   - listener: the request's, if it is known.
    ///   - isUpgrade: whether the request asks for a WebSocket.
    ///   - decision: what it leads to.
    init(
        _ configuration: GatewayConfiguration, _ listener: ListenerSettings?, _ route: RouteSettings, isUpgrade: Bool,
        _ decision: Admission.Decision
    ) {
        let opensSession = if case .upgrade = decision { true } else { false }
        let owners = [
            ("the gateway", configuration.scope), ("the listener", listener?.scope ?? ScopeLimits()),
            ("the route", route.scope),
        ]
        for (owner, limits) in owners {
            if let rate = limits.rateText(isUpgrade: isUpgrade) {
                let key: ReachedLimit.Key = isUpgrade ? .handshakesPerAddress : .requestsPerAddress
                self.add(429, key, owner, rate)
            }
            guard opensSession else { continue }
            if let sessions = limits.sessions { self.add(503, .sessions, owner, "\(sessions)") }
            if let sessions = limits.sessionsPerAddress { self.add(429, .sessionsPerAddress, owner, "\(sessions)") }
        }
        guard opensSession else { return }
        let messages = route.limits.messagesPerSecond.map { "messages-per-second: \($0)" }
        let bytes = route.limits.bytesPerSecond.map { "bytes-per-second: \($0)" }
        let rates = [messages, bytes].compactMap { $0 }.joined(separator: ", ")
        if !rates.isEmpty { self.rates = "\(rates), over-rate: \(route.limits.overRate.rawValue)" }
    }

    private mutating func add(_ status: Int, _ key: ReachedLimit.Key, _ owner: String, _ bound: String) {
        self.unless.append("\(status): limits.\(key.rawValue) of \(owner) is reached: \(bound)")
    }
}
