public import Configuration

/// How a request reached the gateway, whatever it says itself.
public struct Arrival: Equatable, Sendable {
    /// The other end of the connection; `nil` on a Unix socket.
    let peer: IPAddress?
    /// The listener has TLS.
    let listenerIsSecure: Bool
    /// `trusted-proxies`.
    let trustedProxies: TrustedProxies
    /// Whether what the other end says about its own client is believed.
    private(set) var isFromTrustedProxy: Bool

    /// `peer` is `nil` for a connection to a Unix socket.
    public init(peer: IPAddress?, listenerIsSecure: Bool, trustedProxies: TrustedProxies = TrustedProxies()) {
        self.peer = peer
        self.listenerIsSecure = listenerIsSecure
        self.trustedProxies = trustedProxies
        self.isFromTrustedProxy = trustedProxies.contains(peer: peer)
    }

    /// The same as if the other end were believed, to find out whether that is why it is refused.
    var believed: Arrival {
        var arrival = self
        arrival.isFromTrustedProxy = true
        return arrival
    }
}
