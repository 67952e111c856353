internal import Configuration
internal import Connections
internal import Observability
internal import Sessions
internal import System
internal import TLS
internal import WebSocketProtocol

/// What the control thread asks of a session, and what a reload does to it.
extension Session: Exchange, Listed, Reloadable {
    /// The client waits for its 101: only its leaving matters.
    func ready(client: Connection, _ readiness: Readiness) { if client.hasEnded { self.handle(.clientLeft) } }

    func memoryNeeded() { self.handle(.memoryNeeded) }

    var queuedBytes: Int { self.backend?.queuedBytes ?? 0 }

    var isPlain: Bool { false }

    var hasAnswered: Bool { false }

    func isSelected(by selection: SessionSelection) -> Bool {
        switch selection {
        case .all: return true
        case .ofBackend(let name): return self.route?.backend?.name == name
        case .ofEndpoint(let endpoint): return self.endpoint === endpoint
        case .these(let sessions): return sessions.contains(self.id)
        }
    }

    // MARK: - Reload

    func fate(under configuration: ActiveConfiguration) -> ActiveConfiguration.Fate? {
        guard self.isOpen, let route = self.route else { return nil }
        return configuration.fate(
            of: .init(
                route: route, endpoint: self.endpoint, client: self.summary.client ?? self.clientAddress.ip,
                origin: self.summary.origin,
                subprotocol: self.summary.subprotocol, hasEncodedSlash: self.summary.hasEncodedSlash))
    }

    func follow(_ fate: ActiveConfiguration.Fate) {
        guard case .stays(let route) = fate else { return }
        let before = PerLeg(client: self.heartbeat(of: .client), backend: self.heartbeat(of: .backend))
        self.route = route
        for leg in [Leg.client, .backend] where self.heartbeat(of: leg) != before[leg] { self.heartbeatChanged(leg) }
        self.followRates()
        // Other timeouts may hold from now on.
        self.checkDeadlines()
        self.summary.credential?.renewal?.check()
    }

    /// When a byte last came from either side.
    var lastUse: MonotonicInstant {
        max(self.legs.client.heartbeat.lastLife, self.legs.backend.heartbeat.lastLife)
    }

    // MARK: - Table

    var isClosable: Bool { self.isOpen || self.opening != nil }

    var traits: SessionTraits? {
        guard self.phase != .closed else { return nil }
        var traits = SessionTraits(
            id: self.id, route: self.route, endpoint: self.endpoint,
            client: self.summary.client ?? self.clientAddress.ip, credential: self.summary.credential,
            began: self.began)
        traits.queued = (self.client?.queuedBytes ?? 0) + (self.backend?.queuedBytes ?? 0)
        traits.roundTripTime = max(
            self.legs.client.heartbeat.roundTripTime ?? .zero, self.legs.backend.heartbeat.roundTripTime ?? .zero)
        if let tally = self.conversation?.tally { traits.messages = tally.client.messages + tally.backend.messages }
        return traits
    }

    var row: SessionRow? {
        guard self.phase != .closed else { return nil }
        let now = self.loop.now
        var row = SessionRow(
            id: self.id.description, route: self.route?.settings.name ?? "-", client: self.clientName,
            phase: self.phase.rawValue, age: now - self.began, idle: now - self.lastUse)
        row.backend = self.route?.backend?.name
        row.endpoint = self.endpoint?.name
        row.origin = self.summary.origin
        row.subject = self.summary.credential?.subject?.cut
        row.subprotocol = self.summary.subprotocol.shown?.cut
        row.tls = self.client?.tls?.version
        if let tally = self.conversation?.tally {
            row.messagesToBackend = tally.client.messages
            row.messagesToClient = tally.backend.messages
            row.bytesToBackend = UInt64(tally.client.payloadBytes)
            row.bytesToClient = UInt64(tally.backend.payloadBytes)
        }
        row.queuedForClient = self.client?.queuedBytes ?? 0
        row.queuedForBackend = self.backend?.queuedBytes ?? 0
        row.queueLimit = self.route?.settings.limits.queue.rawValue
        row.credentialExpiresIn = self.summary.credential.flatMap { $0.ends == .never ? nil : $0.ends - now }
        row.clientRTT = self.legs.client.heartbeat.roundTripTime
        row.backendRTT = self.legs.backend.heartbeat.roundTripTime
        return row
    }
}
