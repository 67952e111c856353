/// One live session, as the admin address shows it.
public struct SessionRow: Sendable {
    public var id: String
    public var route: String
    public var backend: String?
    public var endpoint: String?
    /// The client's address as far as proxies we trust name it; `unix` for a Unix socket.
    public var client: String
    public var phase: String
    public var age: Duration
    /// Since the last byte from either side.
    public var idle: Duration
    public var origin: String?
    public var subprotocol: String?
    /// The TLS version of the client's leg.
    public var tls: String?
    public var messagesToBackend: UInt64 = 0
    public var messagesToClient: UInt64 = 0
    /// Payload.
    public var bytesToBackend: UInt64 = 0
    public var bytesToClient: UInt64 = 0
    /// Bytes that wait for each side.
    public var queuedForClient = 0
    public var queuedForBackend = 0
    /// The latest round trip of a ping of ours; `nil`: none was answered yet.
    public var clientRTT: Duration?
    public var backendRTT: Duration?

    public init(id: String, route: String, client: String, phase: String, age: Duration, idle: Duration) {
        self.id = id
        self.route = route
        self.client = client
        self.phase = phase
        self.age = age
        self.idle = idle
    }
}
