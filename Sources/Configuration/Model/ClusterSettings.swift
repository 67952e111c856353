/// `cluster:` the Redis server that several gateways share, so that a room is one on all of them.
public struct ClusterSettings: Equatable, Sendable, KeyedSettings {
    /// `redis`
    public var server: RedisServer
    /// The user at the server; `nil`: its default user.
    public var user: String?
    /// The user's password, which is shown nowhere; `nil`: the server demands none.
    public var password: String?
    /// What the names of all keys and channels begin with.
    public var prefix = Keys.cluster.prefix.default
    /// `tls:` towards a `rediss` server.
    public var tls = BackendSettings.TLS()

    /// Every other key is absent.
    public init(server: RedisServer) { self.server = server }

    static let fields = [
        Field(Keys.cluster.user, \Self.user), Field(Keys.cluster.password, \.password),
        Field(Keys.cluster.prefix, \.prefix),
    ]
}
