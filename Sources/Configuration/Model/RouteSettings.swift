/// Host, path, Origin and subprotocol rules that lead to a backend or a page.
package struct RouteSettings: Equatable, Sendable, KeyedSettings {
    package enum Action: Equatable, Sendable {
        /// The name of a backend in `GatewayConfiguration.backends`.
        case backend(String)
        case page(BuiltinPage)
    }

    /// The name in logs and metrics: `name`, or else the first host (if any) and the path.
    package var name: String
    package var path: PathPattern
    package var encodedSlashes = Keys.route.encodedSlashes.default
    /// Empty: any host.
    package var hosts: [HostPattern] = []
    package var origins = Keys.route.rules.origins.default
    package var requireOrigin = Keys.route.rules.requireOrigin.default
    /// Allowed subprotocols, best first; `nil`: the backend picks one.
    package var subprotocols: [String]?
    package var requireSubprotocol = Keys.route.requireSubprotocol.default
    package var compression = Keys.route.rules.compression.default
    package var utf8 = Keys.route.rules.utf8.default
    package var closeCodes = Keys.route.rules.closeCodes.default
    package var timeouts = Timeouts()
    package var limits = Limits()
    /// Pings to the client; `nil`: none.
    package var heartbeat: HeartbeatSettings? = HeartbeatSettings()
    /// Pings to a WebSocket backend, which may set its own times; `nil`: none.
    package var backendHeartbeat: HeartbeatSettings? = HeartbeatSettings()
    /// Whether the route itself sets `limits.message` or `limits.backend-message`. A bridge streams, and limits messages
    /// only then.
    package var limitsMessagesItself = false
    package var action: Action

    package init(name: String, path: PathPattern, action: Action) {
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
