internal import Configuration
internal import Connections
internal import Sessions
internal import System
internal import TLS

/// What the control thread asks of a connection without an open session.
extension ClientConnection: Listed {
    func isSelected(by selection: SessionSelection) -> Bool {
        if let exchange = self.exchange { return exchange.isSelected(by: selection) }
        switch selection {
        case .all: return true
        case .ofBackend(let name): return self.route?.backend?.name == name
        case .ofEndpoint: return false
        case .these(let sessions): return sessions.contains(self.id)
        }
    }

    /// Whether it waits for another request.
    var isIdle: Bool { self.machine.state == .idle }

    /// Whether a plain request is being answered with more than a fixed answer.
    var isPassing: Bool { self.exchange?.isPlain == true }

    /// Whether the answer to such a request has not begun.
    var awaitsAnswer: Bool { self.isPassing && self.exchange?.hasAnswered == false }

    /// Bytes that sockets have not accepted.
    var queuedBytes: Int {
        (self.connection?.queuedBytes ?? 0) + (self.exchange?.queuedBytes ?? 0)
    }

    var isClosable: Bool { true }

    var traits: SessionTraits? {
        if let exchange = self.exchange {
            var traits = (exchange as? Session)?.traits
            traits?.queued += self.connection?.queuedBytes ?? 0
            return traits
        }
        guard self.phase != .closed, !self.isIdle else { return nil }
        var traits = SessionTraits(
            id: self.id, route: self.route, endpoint: nil, client: self.summary.client ?? self.address.ip,
            credential: self.summary.credential, began: self.began)
        traits.queued = self.connection?.queuedBytes ?? 0
        return traits
    }

    var row: SessionRow? {
        if let exchange = self.exchange {
            var row = exchange.row
            row?.tls = self.connection?.tls?.version
            row?.queuedForClient = self.connection?.queuedBytes ?? 0
            return row
        }
        guard self.phase != .closed, !self.isIdle else { return nil }
        let now = self.loop.now
        var row = SessionRow(
            id: self.id.description, route: self.route?.settings.name ?? "-", client: self.clientName,
            phase: self.phase.rawValue, age: now - self.began, idle: now - self.lastByte)
        row.backend = self.route?.backend?.name
        row.origin = self.summary.origin
        row.tls = self.connection?.tls?.version
        row.queuedForClient = self.connection?.queuedBytes ?? 0
        return row
    }
}
