public import Configuration
public import WebSocketProtocol

/// Why a session ended, and which side ended it.
public struct Ending: Equatable, Sendable {
    /// The side that ended the session.
    public enum Author: Equatable, Sendable {
        case leg(Leg)
        case gateway

        /// The word for the log: `client`, `backend` or `gateway`.
        public var name: String {
            switch self {
            case .leg(let leg): leg.rawValue
            case .gateway: "gateway"
            }
        }
    }

    /// The session's one cause.
    public let cause: Cause
    /// The side that ended the session.
    public let by: Author
    /// The code for the client that was asked for at the admin address.
    private let givenCode: CloseCode?
    /// The reason that one side gets instead of the usual one (see `isAddressed`); empty if there is none.
    private let words: String

    /// `leg` ended the session.
    public static func by(_ leg: Leg, _ cause: Cause) -> Ending { Ending(cause: cause, by: .leg(leg)) }
    /// The gateway ended the session by itself.
    public static func byGateway(_ cause: Cause) -> Ending { Ending(cause: cause, by: .gateway) }

    /// `leg` broke a rule.
    ///
    /// - Parameter words: the rule, in words for `leg`.
    public static func violated(_ violation: Violation, by leg: Leg, _ words: String) -> Ending {
        Ending(cause: Cause(violation), by: .leg(leg), words: words)
    }

    /// The session was closed at the admin address.
    ///
    /// - Parameters:
    ///   - code: for the client; one that may not be given becomes 1008.
    ///   - reason: for the client; empty for the usual one.
    ///   - cause: `admin` or `credentialRevoked`.
    public static func byAdmin(_ code: CloseCode? = nil, reason: String = "", for cause: Cause = .admin) -> Ending {
        let code = code.flatMap { $0.mayBeGiven ? $0 : nil }
        return Ending(cause: cause, by: .gateway, givenCode: code, words: reason)
    }

    private init(cause: Cause, by author: Author, givenCode: CloseCode? = nil, words: String = "") {
        self.cause = cause
        self.by = author
        self.givenCode = givenCode
        self.words = words
    }

    /// Whether `leg` left without a Close or stopped responding: then what came from it may be incomplete.
    public func isDeparture(of leg: Leg) -> Bool {
        guard self.by == .leg(leg) else { return false }
        switch self.cause {
        case .clientGone, .clientStalled, .clientPingTimeout, .backendGone, .backendStalled, .backendPingTimeout:
            return true
        default: return false
        }
    }

    // MARK: - What each side hears

    /// The Close that we send to `leg`. `nil` if none is sent: that side ended the session itself, by a Close that is relayed or by
    /// leaving.
    public func close(to leg: Leg, _ codes: CloseCodes = .registered) -> CloseFrame? {
        guard let (usual, reason) = self.usualClose(to: leg) else { return nil }
        let code = leg == .client ? self.givenCode ?? usual : usual
        return CloseFrame(
            code: codes == .rfc6455 ? code.ofRFC6455 : code,
            reason: self.isAddressed(leg) && !self.words.isEmpty ? self.words : reason)
    }

    /// Whether `words` are for `leg`: the client if an operator closed the session, else the side that broke a rule.
    private func isAddressed(_ leg: Leg) -> Bool { self.by == .gateway ? leg == .client : self.by == .leg(leg) }

    /// The table of causes: the code and the reason that each side is sent.
    ///
    /// A client gets 1011 for anything that the backend did wrong: 1002 or 1009 would blame the client, and many clients take 1014 for a
    /// protocol error. Only servers send 1012 and 1013, so a backend never gets them.
    private func usualClose(to leg: Leg) -> (code: CloseCode, reason: String)? {
        switch (self.cause, leg) {
        case (.clientClosed, _): nil
        // A TCP server cannot send a Close: its end of file is a normal closure.
        case (.backendClosed, .client): (.normal, "backend has ended the connection")
        case (.backendClosed, .backend): nil
        case (.clientGone, .client), (.clientStalled, .client): nil
        case (.clientGone, .backend): (.goingAway, "client connection lost")
        case (.clientStalled, .backend): (.goingAway, "client not responding")
        case (.clientPingTimeout, .client), (.backendPingTimeout, .backend): (.goingAway, "no answer to a ping")
        case (.clientPingTimeout, .backend): (.goingAway, "client gave no answer to a ping")
        case (.backendGone, .client): (.internalError, "backend connection lost")
        case (.backendStalled, .client): (.internalError, "backend not responding")
        case (.backendPingTimeout, .client): (.internalError, "backend gave no answer to a ping")
        case (.backendGone, .backend), (.backendStalled, .backend): nil
        case (.protocolError, _): self.close(to: leg, .protocolError, "broke the WebSocket protocol")
        case (.invalidData, _): self.close(to: leg, .invalidData, "sent invalid data")
        case (.messageTooBig, _): self.close(to: leg, .messageTooBig, "sent a message that is too big")
        case (.tooManyFragments, _): self.close(to: leg, .messageTooBig, "sent a message in too many fragments")
        case (.rateLimit, .client): (.policy, "messages were sent too fast")
        case (.rateLimit, .backend): (.goingAway, "client sent messages too fast")
        case (.slowConsumer, .client): (.tryAgainLater, "messages were not read fast enough: try again later")
        case (.slowConsumer, .backend): (.goingAway, "client did not read fast enough")
        case (.memory, .client): (.tryAgainLater, "gateway is short of memory: try again later")
        case (.memory, .backend): (.goingAway, "gateway is short of memory")
        case (.policy, .client): (.policy, "only listening is allowed here")
        case (.policy, .backend): (.goingAway, "client did what is not allowed")
        case (.credentialExpired, .client): (.policy, "credential has expired: sign in again")
        case (.credentialExpired, .backend): (.goingAway, "client's credential has expired")
        case (.credentialRevoked, .client): (.policy, "credential was revoked")
        case (.credentialRevoked, .backend): (.goingAway, "client's credential was revoked")
        case (.idleTimeout, _): (.goingAway, "no message for too long")
        case (.sessionTimeout, _): (.goingAway, "longest time of a session reached")
        case (.historyLost, .client): (.serviceRestart, "messages may be missing: connect again")
        case (.historyLost, .backend): (.goingAway, "messages may be missing")
        case (.drain, .client): (.serviceRestart, "service restart: connect again")
        case (.drain, .backend): (.goingAway, "gateway drains its sessions")
        case (.reload, .client): (.serviceRestart, "service was reconfigured: connect again")
        case (.reload, .backend): (.goingAway, "gateway was reconfigured")
        case (.admin, .client): (.policy, "closed by an operator")
        case (.admin, .backend): (.goingAway, "closed by an operator")
        case (.internalError, _): (.internalError, "internal error of the gateway")
        }
    }

    /// - Parameters:
    ///   - code: for the side that broke the rule.
    ///   - what: what that side did.
    private func close(to leg: Leg, _ code: CloseCode, _ what: String) -> (CloseCode, String) {
        if self.by == .leg(leg) { return (code, what) }
        return leg == .client ? (.internalError, "backend \(what)") : (.goingAway, "client \(what)")
    }
}

extension CloseCode {
    /// Whether an operator may close a session with this code.
    fileprivate var mayBeGiven: Bool {
        switch self {
        case .normal, .goingAway, .policy, .internalError, .serviceRestart: true
        default: (3000...4999).contains(self.rawValue)
        }
    }
}
