internal import WebSocketProtocol

/// Why a session ended: the same word in the log, the metrics and the admin address.
package enum Cause: String, CaseIterable, Sendable {
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

    init(_ violation: Violation) {
        switch violation.kind {
        case .protocolError: self = .protocolError
        case .invalidData: self = .invalidData
        case .messageTooBig: self = .messageTooBig
        case .tooManyFragments: self = .tooManyFragments
        }
    }

    /// `leg` gave no answer to a ping.
    static func pingTimeout(_ leg: Leg) -> Cause { leg == .client ? .clientPingTimeout : .backendPingTimeout }

    /// `leg` takes nothing of what waits for it.
    static func stalled(_ leg: Leg) -> Cause { leg == .client ? .clientStalled : .backendStalled }
}

/// What made a session end, and by whose doing.
struct Ending: Equatable, Sendable {
    enum Author: Equatable, Sendable {
        case leg(Leg)
        case gateway

        var name: String {
            switch self {
            case .leg(let leg): leg.rawValue
            case .gateway: "gateway"
            }
        }
    }

    let cause: Cause
    let by: Author
    /// What somebody at the admin address wants the client to hear.
    private(set) var given: CloseFrame?

    static func by(_ leg: Leg, _ cause: Cause) -> Ending { Ending(cause: cause, by: .leg(leg)) }
    static func byGateway(_ cause: Cause) -> Ending { Ending(cause: cause, by: .gateway) }

    /// Whether `leg` has left without a Close, or was given up: then nobody said that what came from it is all.
    func isDeparture(of leg: Leg) -> Bool {
        guard self.by == .leg(leg) else { return false }
        switch self.cause {
        case .clientGone, .clientStalled, .clientPingTimeout, .backendGone, .backendStalled, .backendPingTimeout: return true
        default: return false
        }
    }

    /// - Parameter code: where it is none that may be given, 1008 takes its place.
    static func byAdmin(_ code: CloseCode? = nil, reason: String = "") -> Ending {
        let code = code.flatMap { $0.mayBeGiven ? $0 : nil } ?? .policy
        return Ending(cause: .admin, by: .gateway, given: CloseFrame(code: code, reason: reason))
    }

    /// The Close we send to `leg` on our own account: see `code(to:)`.
    func close(to leg: Leg) -> CloseFrame? {
        if leg == .client, let given = self.given { return given }
        return self.code(to: leg).map { CloseFrame(code: $0) }
    }

    /// The code of the Close we send to `leg` on our own account; `nil`: none is sent, because that side ended the session
    /// itself (its own Close is relayed, or nobody is there any more).
    ///
    /// A client hears 1011 for whatever the backend did wrong: 1002 or 1009 would say that the client did it, and 1014 is a protocol
    /// error to many clients. 1012 and 1013 are a server's words and never go to a backend.
    func code(to leg: Leg) -> CloseCode? {
        switch (self.cause, leg) {
        case (.clientClosed, _): nil
        // A TCP server has no Close of its own to relay: its end of file is a normal closure.
        case (.backendClosed, .client): .normal
        case (.backendClosed, .backend): nil
        case (.clientGone, .client), (.clientStalled, .client): nil
        case (.clientGone, .backend), (.clientStalled, .backend): .goingAway
        case (.clientPingTimeout, _): .goingAway
        case (.backendGone, .client), (.backendStalled, .client), (.backendPingTimeout, .client): .internalError
        case (.backendGone, .backend), (.backendStalled, .backend): nil
        case (.backendPingTimeout, .backend): .goingAway
        case (.protocolError, _): self.code(to: leg, whoBrokeIt: .protocolError)
        case (.invalidData, _): self.code(to: leg, whoBrokeIt: .invalidData)
        case (.messageTooBig, _), (.tooManyFragments, _): self.code(to: leg, whoBrokeIt: .messageTooBig)
        case (.slowConsumer, .client), (.memory, .client): .tryAgainLater
        case (.idleTimeout, _), (.sessionTimeout, _): .goingAway
        case (.drain, .client), (.reload, .client): .serviceRestart
        case (.admin, .client): self.given?.code ?? .policy
        case (.slowConsumer, .backend), (.memory, .backend), (.drain, .backend), (.reload, .backend),
            (.admin, .backend):
            .goingAway
        case (.internalError, _): .internalError
        }
    }

    private func code(to leg: Leg, whoBrokeIt code: CloseCode) -> CloseCode {
        if self.by == .leg(leg) { return code }
        return leg == .client ? .internalError : .goingAway
    }
}

extension CloseCode {
    /// Whether somebody who closes a session may have its client hear this code.
    fileprivate var mayBeGiven: Bool {
        switch self {
        case .normal, .goingAway, .policy, .internalError, .serviceRestart: true
        default: (3000...4999).contains(self.rawValue)
        }
    }
}
