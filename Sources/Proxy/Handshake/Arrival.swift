package import Configuration

/// How a request came to the gateway, apart from what it says itself.
package struct Arrival: Equatable, Sendable {
    /// The other end of the connection; `nil` on a Unix socket.
    package var clientAddress: IPAddress?
    /// The listener has TLS.
    package var listenerIsSecure: Bool
    /// `trusted-proxies`.
    package var trustedProxies: [IPNetwork]

    package init(clientAddress: IPAddress?, listenerIsSecure: Bool, trustedProxies: [IPNetwork] = []) {
        self.clientAddress = clientAddress
        self.listenerIsSecure = listenerIsSecure
        self.trustedProxies = trustedProxies
    }

    /// Whether what the other end says about its own client is believed.
    package var isFromTrustedProxy: Bool {
        self.clientAddress.map { self.isTrusted($0) } ?? false
    }

    func isTrusted(_ address: IPAddress) -> Bool {
        self.trustedProxies.contains { $0.contains(address) }
    }
}
