internal import Admission
internal import Configuration
internal import Connections
internal import Observability
internal import Sessions
internal import System
internal import WebSocketProtocol

/// What the sessions of one worker share. Confined to its thread.
final class SessionContext {
    let loop: EventLoop
    let connections: ConnectionContext
    let memory: MemoryAccount
    let gathered: GatheredSends
    let log: Log
    let strangers: StrangersLog
    let metrics = WorkerMetrics()
    let services: any SessionServices
    /// For new sessions.
    var configuration: WorkerConfiguration
    // The worker, which outlives its sessions.
    // The worker, which outlives its sessions: it gives itself when it is made.
    unowned var owner: (any SessionOwner)?

    init(
        _ connections: ConnectionContext, _ memory: MemoryAccount, _ log: Log, _ services: any SessionServices,
        _ configuration: WorkerConfiguration
    ) {
        self.loop = connections.loop
        self.connections = connections
        self.memory = memory
        self.gathered = GatheredSends(connections.loop)
        self.log = log
        self.strangers = StrangersLog(connections.loop, log)
        self.services = services
        self.configuration = configuration
    }
}

/// What keeps the sessions: the worker.
protocol SessionOwner: AnyObject {
    /// A session's request head is whole, or it has ended without one.
    func isNoLongerNew(_ session: Session)
    /// A session's opening handshake is complete: what happened meanwhile may concern it.
    func opened(_ session: Session)
    func ended(_ session: Session)

    /// A session could not be opened with the endpoint.
    func failed(_ endpoint: Endpoint, because reason: String)
    /// A session was opened with it.
    func succeeded(_ endpoint: Endpoint)
    /// It could be connected to at none of its addresses.
    func unreachable(_ endpoint: Endpoint)
}

/// What makes the conversations of sessions in which we are the WebSocket server.
protocol SessionServices: AnyObject {
    /// That of a built-in service.
    ///
    /// - Parameter compression: what was agreed with the client.
    func conversation(
        with service: BuiltinService, of session: Session, _ client: Connection, path: String,
        compression: DeflateParameters?
    ) -> any Conversation

    /// That of a bridge.
    ///
    /// - Parameters:
    ///   - message: what the server's bytes become.
    ///   - compression: what was agreed with the client.
    func bridge(
        of session: Session, _ connections: PerLeg<Connection>, message: BridgeMessage, compression: DeflateParameters?
    ) -> any Conversation
}
