/// `limits:` of a route. All are inclusive; 0 is no limit, except for `queue`, which is always bounded.
public struct Limits: Equatable, Sendable, KeyedSettings {
    /// The largest message a client may send.
    public var message = Keys.limits.message.default
    /// The largest message a backend may send.
    public var backendMessage = Keys.limits.backendMessage.default
    /// The most frames in a message of a client.
    public var fragments = Keys.limits.fragments.default
    /// The most frames in a message of a backend.
    public var backendFragments = Keys.limits.backendFragments.default
    /// How much is held for a leg that does not read, before the reading of the other leg pauses.
    public var queue = Keys.limits.queue.default
    /// The most memory for compression in a session of a built-in service or a bridge. It decides on the windows, and on whether messages
    /// may refer to earlier ones.
    public var compression = Keys.limits.compression.default
    /// The largest body of a request that is passed on.
    public var body = Keys.limits.body.default
    /// The most messages that the client of a session may send per second; `nil`: no limit.
    public var messagesPerSecond = Keys.limits.messagesPerSecond.default
    /// The most payload that the client of a session may send per second; `nil`: no limit.
    public var bytesPerSecond = Keys.limits.bytesPerSecond.default
    /// What becomes of messages beyond these two.
    public var overRate = Keys.limits.overRate.default

    /// Every key is absent.
    public init() {}

    static let fields = [
        Field(Keys.limits.message, \Self.message), Field(Keys.limits.backendMessage, \.backendMessage),
        Field(Keys.limits.fragments, \.fragments), Field(Keys.limits.backendFragments, \.backendFragments),
        Field(Keys.limits.queue, \.queue), Field(Keys.limits.compression, \.compression),
        Field(Keys.limits.body, \.body), Field(Keys.limits.messagesPerSecond, \.messagesPerSecond),
        Field(Keys.limits.bytesPerSecond, \.bytesPerSecond), Field(Keys.limits.overRate, \.overRate),
    ]
}

/// `timeouts:` of a route.
public struct Timeouts: Equatable, Sendable, KeyedSettings {
    /// From accept to the 101, TLS and the backend's handshake included.
    public var handshake = Keys.timeouts.handshake.default
    /// For one TCP connection (and TLS handshake) to an endpoint.
    public var connect = Keys.timeouts.connect.default
    /// For the peer's part of the closing handshake and the end of its TCP.
    public var close = Keys.timeouts.close.default
    /// The session ends if no data message passes in either direction for this long; `nil`: it may be quiet for ever.
    public var idle = Keys.timeouts.idle.default
    /// The longest time a session may last; `nil`: no limit.
    public var session = Keys.timeouts.session.default
    /// Until the head of a backend's answer to a plain request.
    public var response = Keys.timeouts.response.default
    /// Between two pieces of a plain request's body, and for a peer to take some of what is queued for it.
    public var requestBody = Keys.timeouts.requestBody.default

    /// Every key is absent.
    public init() {}

    static let fields = [
        Field(Keys.timeouts.handshake, \Self.handshake), Field(Keys.timeouts.connect, \.connect),
        Field(Keys.timeouts.close, \.close), Field(Keys.timeouts.idle, \.idle),
        Field(Keys.timeouts.session, \.session), Field(Keys.timeouts.response, \.response),
        Field(Keys.timeouts.requestBody, \.requestBody),
    ]
}

/// `heartbeat:` pings to a side that is silent.
public struct HeartbeatSettings: Equatable, Sendable, KeyedSettings {
    /// The silence after which a side is pinged.
    public var interval = Keys.heartbeat.interval.default
    /// How long that side may then stay silent before it counts as dead.
    public var timeout = Keys.heartbeat.timeout.default

    /// How long a side may be silent in all, and how long it may accept nothing of what is queued for it.
    public var longestSilence: Duration { self.interval + self.timeout }

    /// Every key is absent.
    public init() {}

    static let fields = [Field(Keys.heartbeat.interval, \Self.interval), Field(Keys.heartbeat.timeout, \.timeout)]
}
