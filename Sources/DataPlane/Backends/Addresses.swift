public import Configuration
public import System

extension SocketAddress {
    /// A TCP address.
    public init(_ address: IPAddress, port: UInt16) {
        self =
            address.isIPv4
            ? .ipv4(UInt32(truncatingIfNeeded: address.low), port: port)
            : .ipv6(high: address.high, low: address.low, port: port, scope: 0)
    }

    /// The address without its port; `nil` for a Unix socket.
    public var ip: IPAddress? {
        switch self {
        case .ipv4(let address, _): IPAddress(ipv4: address)
        case .ipv6(let high, let low, _, _): IPAddress(high: high, low: low)
        case .unix, .abstract, .unnamed: nil
        }
    }
}

extension SocketAddress {
    /// A configured Unix socket; `nil` for TCP, because a host name has to be looked up.
    public init?(unix address: Address) {
        switch address {
        case .unix(let path): self = .unix(path: path)
        case .abstract(let name): self = .abstract(name: name)
        case .tcp: return nil
        }
    }
}
