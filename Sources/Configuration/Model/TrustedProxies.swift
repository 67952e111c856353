/// `trusted-proxies:` the peers that are believed when they say which client a request came from, and how.
public struct TrustedProxies: Equatable, Sendable {
    /// Those that hold the addresses of proxies.
    public var networks: [IPNetwork]
    /// Whether every peer on a Unix socket is one.
    var unix: Bool

    /// By default no peer is believed.
    public init(networks: [IPNetwork] = [], unix: Bool = false) {
        self.networks = networks
        self.unix = unix
    }

    /// Whether an address is that of a proxy.
    public func contains(_ address: IPAddress) -> Bool { self.networks.contains { $0.contains(address) } }

    /// Whether a peer is a proxy.
    ///
    /// - Parameter peer: `nil`: it connected to a Unix socket.
    public func contains(peer: IPAddress?) -> Bool { peer.map { self.contains($0) } ?? self.unix }
}
