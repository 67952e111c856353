public import System

extension SocketAddress {
    /// As predecessor and successor of any version name it to each other.
    public var offeredName: String { if case .abstract(let name) = self { "@" + name } else { self.description } }

    /// Whether a socket that is bound to this address is for a listener at `configured`. A listener at every address
    /// (`:8080`) takes one that is bound to every address of both families, or of IPv4.
    func serves(_ configured: SocketAddress) -> Bool {
        if self == configured { return true }
        guard case .ipv6(high: 0, low: 0, let port, _) = configured, case .ipv4(0, port) = self else { return false }
        return true
    }
}
