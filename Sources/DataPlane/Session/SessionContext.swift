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
    // The worker, which outlives its sessions. It sets this when it is made.
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

/// Owns the clients' connections and the sessions: the worker.
protocol SessionOwner: AnyObject {
    /// The request head is whole, or the connection ended without one.
    func isNoLongerNew(_ client: ClientConnection)
    /// The session that is about to send its 101 has the client's connection now.
    func handedOver(_ client: ClientConnection, to session: Session)
    /// The client's connection is closed.
    func ended(_ client: ClientConnection)

    /// A session's opening handshake is complete. What happened meanwhile, such as a drain, may apply to it.
    func opened(_ session: Session)
    /// Both connections of a session are closed.
    func ended(_ session: Session)

    /// A session could not be opened with the endpoint.
    func failed(_ endpoint: Endpoint, because reason: String)
    /// A session was opened with the endpoint.
    func succeeded(_ endpoint: Endpoint)
    /// None of the endpoint's addresses could be connected to.
    func unreachable(_ endpoint: Endpoint)
}

/// Makes the conversations of sessions in which the gateway is the WebSocket server.
protocol SessionServices: AnyObject {
    /// The conversation of a built-in service.
    ///
    /// - Parameter compression: what was agreed with the client.
    func conversation(
        with service: BuiltinService, of session: Session, _ client: Connection, path: String,
        compression: DeflateParameters?
    ) -> any Conversation

    /// The conversation of a bridge.
    ///
    /// - Parameters:
    ///   - message: the type of message that the server's bytes become.
    ///   - compression: what was agreed with the client.
    func bridge(
        of session: Session, _ connections: PerLeg<Connection>, message: BridgeMessage, compression: DeflateParameters?
    ) -> any Conversation
}
