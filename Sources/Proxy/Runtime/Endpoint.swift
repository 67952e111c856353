internal import Configuration
internal import EventLoop
internal import Synchronization

/// One address in a backend, with what its name stands for at present. Shared by the workers.
final class Endpoint: Sendable {
    /// As logs and `explain` show it.
    let name: String
    let address: Address
    let usesTLS: Bool
    /// The endpoint's URL where it is a WebSocket, for Host and path.
    let webSocket: WebSocketEndpoint?

    /// A look-up of the name has no answer yet.
    let isBeingResolved = Atomic(false)

    /// In the order of preference; a failed look-up leaves the last good ones.
    private let resolved = Mutex<Result<[SocketAddress], ResolveError>>(.success([]))

    init(_ endpoint: WebSocketEndpoint) {
        self.name = endpoint.description
        self.address = endpoint.address
        self.usesTLS = endpoint.tls
        self.webSocket = endpoint
        self.resolveLiteral()
    }

    init(_ endpoint: TCPEndpoint) {
        self.name = endpoint.description
        self.address = endpoint.address
        self.usesTLS = endpoint.tls
        self.webSocket = nil
        self.resolveLiteral()
    }

    /// Where to connect; or why nobody knows.
    var addresses: Result<[SocketAddress], ResolveError> { self.resolved.withLock { $0 } }

    /// The host name that has to be looked up; `nil` for an IP address or a Unix socket.
    var hostToResolve: (host: String, port: UInt16)? {
        guard case .tcp(let host, let port) = self.address, !Resolver.isLiteral(host) else { return nil }
        return (host, port)
    }

    /// Takes the answer of a look-up. Returns false if that changed nothing.
    func update(_ answer: Result<[SocketAddress], ResolveError>) -> Bool {
        self.resolved.withLock { resolved in
            if case .failure = answer, case .success(let known) = resolved, !known.isEmpty { return false }
            guard resolved != answer else { return false }
            resolved = answer
            return true
        }
    }

    private func resolveLiteral() {
        switch self.address {
        case .unix(let path): _ = self.update(.success([.unix(path: path)]))
        case .tcp(let host, let port):
            if Resolver.isLiteral(host) { _ = self.update(Resolver.addresses(of: host, port: port)) }
        }
    }
}
