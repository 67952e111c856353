internal import Configuration
internal import Connections
internal import ProxyProtocol
internal import Sessions
internal import System
internal import TLS

/// What a proxy in front says of its client before TLS, and what backends are told that want to hear the same.
extension ClientConnection {
    /// The proxy in front. An object of its own, so that a connection without one does not carry its memory.
    final class Proxy {
        /// Reads the PROXY header.
        var reader = ProxyHeaderReader()
        /// The address that the client is connected to, if the header says that.
        var destination: ProxyHeader.Place?
    }

    /// Reads the PROXY header, as far as it is there. What follows it stays in the socket.
    func readProxyHeader(_ connection: Connection) {
        while self.machine.state == .proxyHeader, connection.mayRead, let proxy = self.proxy {
            guard !self.loop.budget.isShareSpent else { return connection.readAgainLater() }
            self.loop.budget.spend(Work.read)
            var progress = ProxyHeaderReader.Progress.more
            let received = connection.receivePreface { bytes in
                var index = 0
                progress = proxy.reader.read(bytes, from: &index)
                return index
            }
            switch received {
            case .bytes, .incomplete:
                self.heard(connection)
                self.follow(progress, of: proxy, connection)
            case .nothing: break
            case .end: return self.handle(.ended(.inOrder))
            case .failed: return self.handle(.ended(.failed))
            }
        }
    }

    private func follow(_ progress: ProxyHeaderReader.Progress, of proxy: Proxy, _ connection: Connection) {
        switch progress {
        case .more: break
        case .invalid(let fault): self.turnAway(by: .badProxyHeader(fault))
        case .header(let header):
            self.believe(header, of: proxy)
            if let rule = self.owner.admits(self) { return self.turnAway(by: rule) }
            self.handle(.proxyHeaderRead(hasTLS: connection.tls != nil))
        }
    }

    /// From now on the client that the header names is the peer. Where it names none, the proxy is.
    private func believe(_ header: ProxyHeader, of proxy: Proxy) {
        // What was read takes memory.
        proxy.reader = ProxyHeaderReader()
        switch header {
        case .local, .unknown: break
        case .unix: self.address = .unnamed
        case .addresses(let source, let destination):
            self.address = SocketAddress(source.address, port: source.port)
            proxy.destination = destination
        }
    }

    private func turnAway(by rule: DoorRule) {
        self.subject.turnedAway(by: rule, self.context)
        self.handle(.turnedAway)
    }

    // MARK: - To a backend

    /// What a backend is told of the client of the present request. The port of a client that `X-Forwarded-For` names is not known.
    var announcement: ProxyHeader {
        guard let client = self.summary.client ?? self.address.ip else { return .unix }
        let port = client == self.address.ip ? self.address.port : nil
        return .addresses(
            source: ProxyHeader.Place(client, port: port ?? 0),
            destination: self.proxy?.destination ?? self.place(for: client)
        )
    }

    /// Where the connection came in; on a Unix socket, any address of the client's family.
    private func place(for client: IPAddress) -> ProxyHeader.Place {
        guard let address = self.connection?.localAddress, let ip = address.ip else {
            return ProxyHeader.Place(client.isIPv4 ? IPAddress(ipv4: 0) : IPAddress(high: 0, low: 0), port: 0)
        }
        return ProxyHeader.Place(ip, port: address.port ?? 0)
    }
}
