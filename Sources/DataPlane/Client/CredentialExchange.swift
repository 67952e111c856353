internal import Connections
internal import Sessions
internal import System

/// What stands between a request's head and what that leads to, until it is known what its credential is worth. The client is not read
/// meanwhile.
protocol CredentialExchange: Exchange {
    var client: ClientConnection { get }
    var request: JudgedRequest { get }

    /// The client does not wait for the answer any more.
    func clientLeft()
}

extension CredentialExchange {
    var phase: Phase { .requestHead }

    /// Only sessions have rows.
    var row: SessionRow? { nil }

    var queuedBytes: Int { 0 }

    var isPlain: Bool { false }

    var hasAnswered: Bool { false }

    func ready(client: Connection, _ readiness: Readiness) {
        // A client that has only ended its side may still want the answer to a plain request.
        let isGone = client.failure != nil || client.takeFailure() != nil
        if isGone || client.hasEnded && self.request.isUpgrade { self.clientLeft() }
    }

    func isSelected(by selection: SessionSelection) -> Bool {
        switch selection {
        case .all: true
        case .ofBackend(let name): self.request.route.backend?.name == name
        case .ofEndpoint: false
        case .these(let sessions): sessions.contains(self.client.id)
        }
    }
}
