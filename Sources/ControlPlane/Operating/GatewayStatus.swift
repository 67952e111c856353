public import DataPlane

/// What the process does, and what it may use, as the admin address shows it.
public struct GatewayStatus: Sendable {
    /// The version of the gateway.
    public var version: String
    /// The process's number.
    public var process: Int
    /// In RFC 3339.
    public var started: String
    /// Since the start.
    public var uptime: Duration
    /// Threads that relay sessions.
    public var workers: Int
    /// Sessions that are open or closing.
    public var sessions: Int
    /// Connections of clients, with a session or without.
    public var connections: Int
    /// Whether every session is being closed.
    public var isDraining: Bool
    /// Until what is left of that is aborted; `nil`: it does not drain, or waits for `drain.delay`.
    public var drainEndsIn: Duration?
    /// Bytes that sessions hold.
    public var memory: Int
    /// The bound on them.
    public var memoryLimit: Int
    /// Descriptors that are open; `nil` if unknown.
    public var openFiles: Int?
    /// How many may be open.
    public var openFilesLimit: Int
    /// The URLs at which it listens.
    public var listeners: [String]
    /// `read-only` of `admin`.
    public var isReadOnly = false
    /// `payloads` of `admin`.
    public var showsPayloads = false
    /// The link to the server that gateways share; `nil`: there is none.
    public var cluster: ClusterStatus?
    /// `nil`: there was none since the start.
    public var lastReload: LastReload?
}
