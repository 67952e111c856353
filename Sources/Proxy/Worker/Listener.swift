internal import Configuration
internal import System
internal import TLS

/// What a listener is made of, shared by the workers: its sockets, and the TLS that each worker makes its own contexts from.
struct ListenerBlueprint: Sendable {
    /// Names the listener as long as it is there, whatever a reload does to others.
    let id: Int
    let settings: ListenerSettings
    /// As the configuration has it, looked up.
    let configured: SocketAddress
    /// With the port that was chosen.
    let address: SocketAddress
    /// For each worker those that it accepts from. They are theirs to close.
    let sockets: [[Int32]]
    var tls: (settings: TLSServerSettings, tickets: TicketKeys)?

    var url: String { (self.tls == nil ? "ws://" : "wss://") + self.address.description }
}

/// A listener as one worker has it.
final class Listener {
    let address: SocketAddress
    /// The address as logs and metrics show it.
    let name: String
    /// `nil`: no TLS.
    let tlsContext: TLSServerContext?
    /// What the context was made from.
    let tlsSettings: TLSServerSettings?

    init(_ blueprint: ListenerBlueprint, io: TLSIO) throws(TLSError) {
        self.address = blueprint.address
        self.name = blueprint.address.description
        self.tlsSettings = blueprint.tls?.settings
        if let tls = blueprint.tls {
            self.tlsContext = try TLSServerContext(tls.settings, io: io, tickets: tls.tickets)
        } else {
            self.tlsContext = nil
        }
    }
}
