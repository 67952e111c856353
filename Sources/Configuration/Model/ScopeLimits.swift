/// The `limits` that a route, a listener and the whole gateway (in `defaults`) each have for themselves. None is inherited, and all that are
/// set hold.
public struct ScopeLimits: Equatable, Sendable, KeyedSettings {
    /// The most sessions at once; `nil`: no limit.
    public var sessions = Self.keys.sessions.default
    /// The most sessions of one address (`IPAddress.subscriber`) at once; `nil`: no limit.
    public var sessionsPerAddress = Self.keys.sessionsPerAddress.default
    /// The most upgrade requests of one address per second; `nil`: no limit.
    public var handshakesPerAddress = Self.keys.handshakesPerAddress.default
    /// The most other requests of one address per second; `nil`: no limit.
    public var requestsPerAddress = Self.keys.requestsPerAddress.default

    private static let keys = Keys.listenerLimits.scope

    /// Every key is absent.
    public init() {}

    static let fields = [
        Field(Self.keys.sessions, \Self.sessions),
        Field(Self.keys.sessionsPerAddress, \.sessionsPerAddress),
        Field(Self.keys.handshakesPerAddress, \.handshakesPerAddress),
        Field(Self.keys.requestsPerAddress, \.requestsPerAddress),
    ]

    /// The rate for a request of one address; `nil`: no limit.
    ///
    /// - Parameter isUpgrade: whether it asks for a WebSocket.
    public func rate(isUpgrade: Bool) -> Double? { isUpgrade ? self.handshakesPerAddress : self.requestsPerAddress }

    /// The same rate as the file writes it.
    public func rateText(isUpgrade: Bool) -> String? { self.rate(isUpgrade: isUpgrade).map(Quantity.text) }
}
