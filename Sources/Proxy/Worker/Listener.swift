internal import Configuration
internal import EventLoop
internal import TLS

/// What a listener is made of, shared by the workers: its sockets' address, and the TLS that each worker makes its own contexts
/// from.
struct ListenerBlueprint: Sendable {
    let address: SocketAddress
    /// One socket for each worker. They are theirs to close.
    let sockets: [Int32]
    let tls: (settings: TLSServerSettings, tickets: TicketKeys)?
}

/// A listener as one worker has it.
final class Listener {
    let address: SocketAddress
    /// The address as logs and metrics show it.
    let name: String
    /// `nil`: no TLS.
    let tlsContext: TLSServerContext?

    init(_ blueprint: ListenerBlueprint, io: TLSIO) throws(TLSError) {
        self.address = blueprint.address
        self.name = blueprint.address.description
        if let tls = blueprint.tls {
            self.tlsContext = try TLSServerContext(tls.settings, io: io, tickets: tls.tickets)
        } else {
            self.tlsContext = nil
        }
    }
}
