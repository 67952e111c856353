public import Configuration
public import System
public import TLS

/// What a listener is made of, shared by the workers: its sockets, and the TLS that each worker makes its own contexts from.
public struct ListenerBlueprint: Sendable {
    /// Names the listener as long as it is there, whatever a reload does to others.
    public let id: Int
    public let settings: ListenerSettings
    /// As the configuration has it, looked up.
    public let configured: SocketAddress
    /// With the port that was chosen.
    public let address: SocketAddress
    /// For each worker those that it accepts from. They are theirs to close.
    public let sockets: [[Int32]]
    public var tls: (settings: TLSServerSettings, tickets: TicketKeys)?

    public init(
        id: Int, settings: ListenerSettings, configured: SocketAddress, address: SocketAddress, sockets: [[Int32]],
        tls: (settings: TLSServerSettings, tickets: TicketKeys)? = nil
    ) {
        self.id = id
        self.settings = settings
        self.configured = configured
        self.address = address
        self.sockets = sockets
        self.tls = tls
    }

    public var url: String { (self.tls == nil ? "ws://" : "wss://") + self.address.description }
}

/// A listener as one worker has it.
public final class Listener {
    /// The address as logs and metrics show it.
    public let name: String
    /// `nil`: no TLS.
    public let tlsContext: TLSServerContext?
    /// What the context was made from.
    public let tlsSettings: TLSServerSettings?

    public init(_ blueprint: ListenerBlueprint, io: TLSIO) throws(TLSError) {
        self.name = blueprint.address.description
        self.tlsSettings = blueprint.tls?.settings
        if let tls = blueprint.tls {
            self.tlsContext = try TLSServerContext(tls.settings, io: io, tickets: tls.tickets)
        } else {
            self.tlsContext = nil
        }
    }
}
