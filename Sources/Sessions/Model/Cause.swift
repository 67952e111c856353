public import WebSocketProtocol

/// Why a session ended: the same word in the log, the metrics and the admin address.
public enum Cause: String, CaseIterable, Sendable {
    case clientClosed = "client-closed"
    case backendClosed = "backend-closed"
    case clientGone = "client-gone"
    case clientStalled = "client-stalled"
    case clientPingTimeout = "client-ping-timeout"
    case backendGone = "backend-gone"
    case backendStalled = "backend-stalled"
    case backendPingTimeout = "backend-ping-timeout"
    case protocolError = "protocol-error"
    case invalidData = "invalid-data"
    case messageTooBig = "message-too-big"
    case tooManyFragments = "too-many-fragments"
    /// The client sent more than `messages-per-second` or `bytes-per-second`, and `over-rate` is `close`.
    case rateLimit = "rate-limit"
    case slowConsumer = "slow-consumer"
    /// The client did what its route does not allow.
    case policy
    /// The credential that let the client in is good no more.
    case credentialExpired = "credential-expired"
    /// An operator has closed the sessions of a subject.
    case credentialRevoked = "credential-revoked"
    /// All sessions together hold too much memory, and this one makes no progress with its share.
    case memory
    case idleTimeout = "idle-timeout"
    case sessionTimeout = "session-timeout"
    /// A member of a room may have missed messages while the server of the rooms was away, and nothing has these any more.
    case historyLost = "history-lost"
    case drain
    case reload
    /// The session was closed at the admin address.
    case admin
    case internalError = "internal-error"

    /// The cause that `violation` counts as.
    public init(_ violation: Violation) {
        switch violation.kind {
        case .protocolError: self = .protocolError
        case .invalidData: self = .invalidData
        case .messageTooBig: self = .messageTooBig
        case .tooManyFragments: self = .tooManyFragments
        }
    }

    /// `leg` did not answer a ping.
    public static func pingTimeout(_ leg: Leg) -> Cause { leg == .client ? .clientPingTimeout : .backendPingTimeout }

    /// `leg` accepts none of its queued bytes.
    public static func stalled(_ leg: Leg) -> Cause { leg == .client ? .clientStalled : .backendStalled }
}
