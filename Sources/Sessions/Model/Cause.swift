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
    case slowConsumer = "slow-consumer"
    /// All sessions together hold too much, and this one makes no progress with what it holds.
    case memory
    case idleTimeout = "idle-timeout"
    case sessionTimeout = "session-timeout"
    case drain
    case reload
    /// At the admin address somebody closed the session.
    case admin
    case internalError = "internal-error"

    public init(_ violation: Violation) {
        switch violation.kind {
        case .protocolError: self = .protocolError
        case .invalidData: self = .invalidData
        case .messageTooBig: self = .messageTooBig
        case .tooManyFragments: self = .tooManyFragments
        }
    }

    /// `leg` gave no answer to a ping.
    public static func pingTimeout(_ leg: Leg) -> Cause { leg == .client ? .clientPingTimeout : .backendPingTimeout }

    /// `leg` takes nothing of what waits for it.
    public static func stalled(_ leg: Leg) -> Cause { leg == .client ? .clientStalled : .backendStalled }
}
