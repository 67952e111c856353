/// Host, path, Origin and subprotocol rules that lead to a backend or a page.
public struct RouteSettings: Equatable, Sendable, KeyedSettings {
    public enum Action: Equatable, Sendable {
        /// The name of a backend in `GatewayConfiguration.backends`.
        case backend(String)
        case page(BuiltinPage)
    }

    /// The name in logs and metrics: `name`, or else the first host (if any) and the path.
    public var name: String
    public var path: PathPattern
    public var encodedSlashes = Keys.route.encodedSlashes.default
    /// Empty: any host.
    public var hosts: [HostPattern] = []
    public var origins = Keys.route.rules.origins.default
    public var requireOrigin = Keys.route.rules.requireOrigin.default
    /// Allowed subprotocols, best first; `nil`: the backend picks one.
    public var subprotocols: [String]?
    public var requireSubprotocol = Keys.route.requireSubprotocol.default
    public var compression = Keys.route.rules.compression.default
    public var utf8 = Keys.route.rules.utf8.default
    public var closeCodes = Keys.route.rules.closeCodes.default
    public var timeouts = Timeouts()
    public var limits = Limits()
    /// Pings to the client; `nil`: none.
    public var heartbeat: HeartbeatSettings? = HeartbeatSettings()
    /// Pings to a WebSocket backend, which may set its own times; `nil`: none.
    public var backendHeartbeat: HeartbeatSettings? = HeartbeatSettings()
    /// Whether the route itself sets `limits.message` or `limits.backend-message`. A bridge streams, and limits messages
    /// only then.
    public var limitsMessagesItself = false
    public var action: Action

    public init(name: String, path: PathPattern, action: Action) {
        self.name = name
        self.path = path
        self.action = action
    }

    /// Those that `defaults` sets, too.
    static let fields = [
        Field(Keys.route.rules.requireOrigin, \Self.requireOrigin), Field(Keys.route.rules.compression, \.compression),
        Field(Keys.route.rules.utf8, \.utf8), Field(Keys.route.rules.closeCodes, \.closeCodes),
    ]
}
