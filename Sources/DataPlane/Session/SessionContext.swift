internal import Admission
internal import Configuration
internal import Connections
internal import Credentials
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
    /// What counts against the limits of the whole gateway.
    let scope: LimitScope
    let services: any SessionServices
    let files: WorkerFiles
    let passwords: WorkerPasswords
    /// What the credentials of requests are verified with.
    var credentials: KeysAndUsers
    /// The subjects that credentials do not let in at present, however good they are.
    var revoked = RevokedSubjects()
    /// For new sessions.
    var configuration: WorkerConfiguration
    /// The tails of whole routes: they see each new session.
    var routeTails: [Tail] = []
    /// Set when the whole gateway drains: connections end after their answers.
    var isDraining = false
    // The worker, which outlives its sessions. It sets this when it is made.
    unowned var owner: (any SessionOwner)?

    init(
        _ connections: ConnectionContext, _ memory: MemoryAccount, _ log: Log, _ services: any SessionServices,
        _ files: WorkerFiles, _ passwords: WorkerPasswords, _ credentials: KeysAndUsers,
        _ configuration: WorkerConfiguration, _ scope: LimitScope
    ) {
        self.loop = connections.loop
        self.connections = connections
        self.memory = memory
        self.gathered = GatheredSends(connections.loop)
        self.log = log
        self.strangers = StrangersLog(connections.loop, log)
        self.scope = scope
        self.services = services
        self.files = files
        self.passwords = passwords
        self.credentials = credentials
        self.configuration = configuration
    }
}

/// Makes the conversations of sessions in which the gateway is the WebSocket server.
protocol SessionServices: AnyObject {
    /// Asks for the session's place in its room, if rooms are at a server.
    ///
    /// - Parameter then: called when it has one.
    /// - Returns: whether there is something to wait for.
    func askForPlace(in room: RoomRequest?, for session: Session, then: @escaping () -> Void) -> Bool
    /// The session ends without the conversation that it asked a place for.
    func stopAsking(_ session: Session)

    /// The conversation of a built-in service; `nil`: it has no such service.
    ///
    /// - Parameters:
    ///   - room: the one to join, where there are rooms.
    ///   - compression: what was agreed with the client.
    func conversation(
        with service: BuiltinService, of session: Session, _ client: Connection, room: RoomRequest?,
        compression: DeflateParameters?
    ) -> (any Conversation)?

    /// The conversation of a bridge.
    ///
    /// - Parameters:
    ///   - message: the type of message that the server's bytes become.
    ///   - compression: what was agreed with the client.
    func bridge(
        of session: Session, _ connections: PerLeg<Connection>, message: BridgeMessage, compression: DeflateParameters?
    ) -> any Conversation
}
