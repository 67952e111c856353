/// One live session in the table of the admin address. Texts are as shown there.
public struct SessionRow: Sendable {
    /// See `SessionID.description`.
    public var id: String
    /// The route's name; `-` while it is unknown.
    public var route: String
    /// The backend's name.
    public var backend: String?
    /// The endpoint's name.
    public var endpoint: String?
    /// The client's address as trusted proxies name it; `unix` for a Unix socket.
    public var client: String
    /// A `Phase`.
    public var phase: String
    /// Since the client was accepted.
    public var age: Duration
    /// Since the last byte from either side.
    public var idle: Duration
    /// The Origin of its request.
    public var origin: String?
    /// What the credential that let the client in calls it; `nil`: the route asks for none, or it has no name.
    public var subject: String?
    /// The agreed subprotocol; `nil` if there is none, or if it is a credential.
    public var subprotocol: String?
    /// The TLS version of the client's leg.
    public var tls: String?
    /// Messages from the client that were passed on.
    public var messagesToBackend: UInt64 = 0
    /// Messages to the client.
    public var messagesToClient: UInt64 = 0
    /// Bytes of payload in `messagesToBackend`.
    public var bytesToBackend: UInt64 = 0
    /// Bytes of payload in `messagesToClient`.
    public var bytesToClient: UInt64 = 0
    /// Bytes that the client's socket has not accepted.
    public var queuedForClient = 0
    /// Bytes that the backend's socket has not accepted.
    public var queuedForBackend = 0
    /// How many bytes may be queued for each side before the other is not read; `nil` while the route is unknown.
    public var queueLimit: Int?
    /// Until the credential is good no more; `nil`: there is none, or it does not expire.
    public var credentialExpiresIn: Duration?
    /// Messages a second in both directions; `nil` where it was not asked for.
    public var rate: Double?
    /// The latest round-trip time of our pings to the client; `nil` if none was answered yet.
    public var clientRTT: Duration?
    /// The latest round-trip time of our pings to the backend.
    public var backendRTT: Duration?

    /// A row with what every session has.
    public init(id: String, route: String, client: String, phase: String, age: Duration, idle: Duration) {
        self.id = id
        self.route = route
        self.client = client
        self.phase = phase
        self.age = age
        self.idle = idle
    }
}
