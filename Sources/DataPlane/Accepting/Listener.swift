package import Configuration
package import System
package import TLS

/// What a listener is made of, shared by the workers: its sockets, and the TLS that each worker makes its own contexts from.
package struct ListenerBlueprint: Sendable {
    /// Names the listener as long as it is there, whatever a reload does to others.
    package let id: Int
    package let settings: ListenerSettings
    /// As the configuration has it, looked up.
    package let configured: SocketAddress
    /// With the port that was chosen.
    package let address: SocketAddress
    /// For each worker those that it accepts from. They are theirs to close.
    package let sockets: [[Int32]]
    package var tls: (settings: TLSServerSettings, tickets: TicketKeys)?

    package init(
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

    package var url: String { (self.tls == nil ? "ws://" : "wss://") + self.address.description }
}

/// A listener as one worker has it.
package final class Listener {
    /// The address as logs and metrics show it.
    package let name: String
    /// `nil`: no TLS.
    package let tlsContext: TLSServerContext?
    /// What the context was made from.
    package let tlsSettings: TLSServerSettings?

    package init(_ blueprint: ListenerBlueprint, io: TLSIO) throws(TLSError) {
        self.name = blueprint.address.description
        self.tlsSettings = blueprint.tls?.settings
        if let tls = blueprint.tls {
            self.tlsContext = try TLSServerContext(tls.settings, io: io, tickets: tls.tickets)
        } else {
            self.tlsContext = nil
        }
    }
}
