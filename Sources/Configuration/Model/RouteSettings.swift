public import HTTP1

/// Host, path, Origin and subprotocol rules that lead to a backend, a page or an answer.
public struct RouteSettings: Equatable, Sendable, KeyedSettings {
    /// Where a request that matches goes.
    public enum Action: Equatable, Sendable {
        /// The name of a backend in `GatewayConfiguration.backends`.
        case backend(String)
        /// A page that the gateway has built in. The route opens no sessions.
        case page(BuiltinPage)
        /// Clients are sent elsewhere. The route opens no sessions.
        case redirect(RedirectSettings)
        /// A fixed answer. The route opens no sessions.
        case answer(AnswerSettings)
        /// Files.
        ///
        /// - backend: the name of the one that upgrades go to; `nil`: the route opens no sessions.
        case files(FilesSettings, backend: String?)
        /// The body of a request becomes a message for a room of the backend of this name, which is a `broadcast`. The route opens no
        /// sessions.
        case publish(String)

        /// Whether a request may become a session.
        public var opensSessions: Bool {
            switch self {
            case .backend, .files(_, backend: _?): true
            case .page, .redirect, .answer, .files, .publish: false
            }
        }

        /// The name of the backend, where there is one.
        public var backend: String? {
            switch self {
            case .backend(let name), .publish(let name): name
            case .files(_, let backend): backend
            case .page, .redirect, .answer: nil
            }
        }
    }

    /// The name in logs and metrics: `name`, or else the first host (if any) and the path.
    public var name: String
    /// `path`: those of requests that match.
    public var path: PathPattern
    /// `encoded-slashes`: whether a path with `%2F` may match.
    public var encodedSlashes = Keys.route.encodedSlashes.default
    /// Empty: any host.
    public var hosts: [HostPattern] = []
    /// `scheme`: that of the client's URL; `nil`: both.
    public var scheme: ClientScheme?
    /// `headers`: fields of every answer, each name once. None is about the connection or the handshake.
    public var headers = HTTPFields()
    /// `http`: whether requests that ask for no upgrade go to the backend, which is then a WebSocket backend.
    public var http = Keys.route.http.default
    /// The clients that are let in, as trusted proxies name them; empty: all.
    public var allow: [IPNetwork] = []
    /// `origins`: the pages that may open a session, by their Origin (RFC 6454).
    public var origins = Keys.route.rules.origins.default
    /// `require-origin`: a request without Origin, as programs send it, is refused.
    public var requireOrigin = Keys.route.rules.requireOrigin.default
    /// `auth`: the kinds of credentials of which a client must show one; empty: it needs none.
    public var auth: [AuthSettings] = []
    /// `sign-in`: the URL that a client is sent to that asks for a page without a good credential; `nil`: it gets the refusal.
    public var signIn: String?
    /// `listen-only`: a client of a room that sends a message is closed.
    public var listenOnly = Keys.route.listenOnly.default
    /// Allowed subprotocols, best first; `nil`: the backend picks one.
    public var subprotocols: [String]?
    /// `require-subprotocol`: a request without a common subprotocol is refused.
    public var requireSubprotocol = Keys.route.requireSubprotocol.default
    /// `compression`: what becomes of `permessage-deflate` offers (RFC 7692).
    public var compression = Keys.route.rules.compression.default
    /// `utf8`: whether text is checked on its way (RFC 6455 section 8.1).
    public var utf8 = Keys.route.rules.utf8.default
    /// `close-codes`: which codes the gateway itself may send to clients.
    public var closeCodes = Keys.route.rules.closeCodes.default
    /// The `timeouts` section.
    public var timeouts = Timeouts()
    /// The `limits` section.
    public var limits = Limits()
    /// The keys of that section that are not inherited.
    public var scope = ScopeLimits()
    /// Pings to the client; `nil`: none.
    public var heartbeat: HeartbeatSettings? = HeartbeatSettings()
    /// Pings to a WebSocket backend, which may set its own times; `nil`: none.
    public var backendHeartbeat: HeartbeatSettings? = HeartbeatSettings()
    /// Whether the route itself sets `limits.message` or `limits.backend-message`. A bridge streams, and limits messages
    /// only then.
    public var limitsMessagesItself = false
    /// A backend, or what is answered.
    public var action: Action

    /// A route for any host in which every other key is absent.
    public init(name: String, path: PathPattern, action: Action) {
        self.name = name
        self.path = path
        self.action = action
    }

    /// `forward` of `auth`. A list has it once at most, as its last kind.
    public var forward: ForwardSettings? {
        if case .forward(let settings)? = self.auth.last { settings } else { nil }
    }

    /// Those that `defaults` sets, too.
    static let fields = [
        Field(Keys.route.rules.requireOrigin, \Self.requireOrigin), Field(Keys.route.rules.compression, \.compression),
        Field(Keys.route.rules.utf8, \.utf8), Field(Keys.route.rules.closeCodes, \.closeCodes),
    ]
}
