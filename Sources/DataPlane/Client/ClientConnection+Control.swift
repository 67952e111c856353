internal import Configuration
internal import Connections
internal import Sessions
internal import System
internal import TLS

/// What the control thread asks of a connection without an open session.
extension ClientConnection {
    func isSelected(by selection: SessionSelection) -> Bool {
        if let session = self.session { return session.isSelected(by: selection) }
        switch selection {
        case .all: return true
        case .ofBackend(let name): return self.route?.backend?.name == name
        case .ofEndpoint: return false
        case .these(let sessions): return sessions.contains(self.id)
        }
    }

    /// Bytes that sockets have not accepted.
    var queuedBytes: Int {
        (self.connection?.queuedBytes ?? 0) + (self.session?.connection(.backend)?.queuedBytes ?? 0)
    }

    var row: SessionRow? {
        if var row = self.session?.row {
            row.tls = self.connection?.tls?.version
            row.queuedForClient = self.connection?.queuedBytes ?? 0
            return row
        }
        guard self.phase != .closed else { return nil }
        let now = self.loop.now
        var row = SessionRow(
            id: self.id.description, route: self.route?.settings.name ?? "-", client: self.subject.clientName,
            phase: self.phase.rawValue, age: now - self.began, idle: now - self.lastByte)
        row.backend = self.route?.backend?.name
        row.origin = self.summary.origin
        row.tls = self.connection?.tls?.version
        row.queuedForClient = self.connection?.queuedBytes ?? 0
        return row
    }
}
