/// `trusted-proxies:` whose word is believed about who its own client is and how that came.
package struct TrustedProxies: Equatable, Sendable {
    package var networks: [IPNetwork]
    /// Whoever connects to a Unix socket that the gateway listens on.
    package var unix: Bool

    package init(networks: [IPNetwork] = [], unix: Bool = false) {
        self.networks = networks
        self.unix = unix
    }

    /// Whether an address is that of a proxy.
    package func contains(_ address: IPAddress) -> Bool { self.networks.contains { $0.contains(address) } }

    /// Whether the other end of a connection is a proxy; `nil`: it came by a Unix socket.
    package func contains(peer: IPAddress?) -> Bool { peer.map { self.contains($0) } ?? self.unix }
}
