public import System

extension SocketAddress {
    /// The name of a listener in takeover messages. It must stay the same in later versions.
    public var offeredName: String { if case .abstract(let name) = self { "@" + name } else { self.description } }

    /// Whether a socket that is bound to this address is one for a listener at `configured`. A listener at every address (`:8080`)
    /// accepts a socket that is bound to every address of both families, or to every IPv4 address.
    func serves(_ configured: SocketAddress) -> Bool {
        if self == configured { return true }
        guard case .ipv6(high: 0, low: 0, let port, _) = configured, case .ipv4(0, port) = self else { return false }
        return true
    }
}
