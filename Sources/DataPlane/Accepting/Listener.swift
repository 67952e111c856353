public import Configuration
public import System
public import TLS

/// What each worker makes its listener from. Every worker makes TLS contexts of its own.
public struct ListenerBlueprint: Sendable {
    /// Identifies the listener for as long as it exists, across reloads.
    public let id: Int
    /// The listener as configured.
    public let settings: ListenerSettings
    /// The configured address, resolved.
    public let configured: SocketAddress
    /// The address with the port that the system chose, if 0 is configured.
    public let address: SocketAddress
    /// For each worker, the sockets that it accepts from. The worker closes them.
    public let sockets: [[Int32]]
    /// `nil` without TLS.
    public var tls: (settings: TLSServerSettings, tickets: TicketKeys)?
    /// Its connections; the same object across reloads.
    public let addresses: AddressCounts
    /// What counts against its limits; likewise.
    public let scope: LimitScope

    /// A listener with the values of its properties.
    public init(
        id: Int, settings: ListenerSettings, configured: SocketAddress, address: SocketAddress, sockets: [[Int32]],
        tls: (settings: TLSServerSettings, tickets: TicketKeys)? = nil, addresses: AddressCounts = AddressCounts(),
        scope: LimitScope = LimitScope()
    ) {
        self.id = id
        self.settings = settings
        self.configured = configured
        self.address = address
        self.sockets = sockets
        self.tls = tls
        self.addresses = addresses
        self.scope = scope
    }

    /// For the log: `ws://` or `wss://` and the address.
    public var url: String { (self.tls == nil ? "ws://" : "wss://") + self.address.description }
}

/// One worker's part of a listener.
public final class Listener {
    /// The address, for logs and metrics.
    public let name: String
    /// The listener as configured.
    let settings: ListenerSettings
    /// The connections of all workers.
    let addresses: AddressCounts
    /// What counts against `settings.scope`, on all workers.
    let scope: LimitScope
    /// `nil` without TLS.
    public let tlsContext: TLSServerContext?
    /// What the context was made from.
    public let tlsSettings: TLSServerSettings?

    /// Throws if libssl refuses the settings.
    public init(_ blueprint: ListenerBlueprint, io: TLSIO) throws(TLSError) {
        self.name = blueprint.address.description
        self.settings = blueprint.settings
        self.addresses = blueprint.addresses
        self.scope = blueprint.scope
        self.tlsSettings = blueprint.tls?.settings
        if let tls = blueprint.tls {
            self.tlsContext = try TLSServerContext(tls.settings, io: io, tickets: tls.tickets)
        } else {
            self.tlsContext = nil
        }
    }
}
