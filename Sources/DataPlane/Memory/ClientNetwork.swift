public import Configuration
public import Sessions

/// The client that a session's memory counts for: an IPv4 address, or the /64 of an IPv6 address, which one customer has. A client on a
/// Unix socket has no address, so each of its sessions counts alone.
public enum ClientNetwork: Hashable, Sendable {
    case address(IPNetwork)
    case session(SessionID)

    /// - Parameter address: the client's; `nil` on a Unix socket.
    public init(_ address: IPAddress?, of session: SessionID) {
        self = address.map { .address($0.subscriber) } ?? .session(session)
    }
}
