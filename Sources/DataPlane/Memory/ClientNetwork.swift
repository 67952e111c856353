public import Configuration
public import Sessions

/// Whom a session is reckoned with: its client's IPv4 address, or the /64 of an IPv6 address, which is what one customer has. A client
/// of a Unix socket has no address, and stands for itself.
public enum ClientNetwork: Hashable, Sendable {
    case address(IPNetwork)
    case session(SessionID)

    public init(_ address: IPAddress?, of session: SessionID) {
        self = address.map { .address($0.subscriber) } ?? .session(session)
    }
}
