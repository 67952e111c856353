public import Configuration
public import WebSocketProtocol

/// What made a session end, and by whose doing.
public struct Ending: Equatable, Sendable {
    public enum Author: Equatable, Sendable {
        case leg(Leg)
        case gateway

        public var name: String {
            switch self {
            case .leg(let leg): leg.rawValue
            case .gateway: "gateway"
            }
        }
    }

    public let cause: Cause
    public let by: Author
    /// What somebody at the admin address wants the client to hear.
    private let givenCode: CloseCode?
    /// What one side is told in place of the usual words (see `isAddressed`); empty: nothing.
    private let words: String

    public static func by(_ leg: Leg, _ cause: Cause) -> Ending { Ending(cause: cause, by: .leg(leg)) }
    public static func byGateway(_ cause: Cause) -> Ending { Ending(cause: cause, by: .gateway) }

    /// - Parameter words: which rule it was.
    public static func violated(_ violation: Violation, by leg: Leg, _ words: String) -> Ending {
        Ending(cause: Cause(violation), by: .leg(leg), words: words)
    }

    /// - Parameter code: where it is none that may be given, 1008 takes its place.
    public static func byAdmin(_ code: CloseCode? = nil, reason: String = "") -> Ending {
        let code = code.flatMap { $0.mayBeGiven ? $0 : nil }
        return Ending(cause: .admin, by: .gateway, givenCode: code, words: reason)
    }

    private init(cause: Cause, by author: Author, givenCode: CloseCode? = nil, words: String = "") {
        self.cause = cause
        self.by = author
        self.givenCode = givenCode
        self.words = words
    }

    /// Whether `leg` has left without a Close, or was given up: then nobody said that what came from it is all.
    public func isDeparture(of leg: Leg) -> Bool {
        guard self.by == .leg(leg) else { return false }
        switch self.cause {
        case .clientGone, .clientStalled, .clientPingTimeout, .backendGone, .backendStalled, .backendPingTimeout:
            return true
        default: return false
        }
    }

    // MARK: - What each side hears

    /// The Close we send to `leg` on our own account; `nil`: none is sent, because that side ended the session itself (its own Close is
    /// relayed, or nobody is there any more).
    public func close(to leg: Leg, _ codes: CloseCodes = .registered) -> CloseFrame? {
        guard let (usual, reason) = self.usualClose(to: leg) else { return nil }
        let code = leg == .client ? self.givenCode ?? usual : usual
        return CloseFrame(
            code: codes == .rfc6455 ? code.ofRFC6455 : code,
            reason: self.isAddressed(leg) && !self.words.isEmpty ? self.words : reason)
    }

    /// Whether `words` are for `leg`: for the client that an operator has closed, and for whoever broke a rule.
    private func isAddressed(_ leg: Leg) -> Bool { self.cause == .admin ? leg == .client : self.by == .leg(leg) }

    /// The table of causes: which code each side hears, and why, in plain words.
    ///
    /// A client hears 1011 for whatever the backend did wrong: 1002 or 1009 would say that the client did it, and 1014 is a protocol
    /// error to many clients. 1012 and 1013 are a server's words and never go to a backend.
    private func usualClose(to leg: Leg) -> (code: CloseCode, reason: String)? {
        switch (self.cause, leg) {
        case (.clientClosed, _): nil
        // A TCP server has no Close of its own to relay: its end of file is a normal closure.
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
        case (.slowConsumer, .client): (.tryAgainLater, "messages were not read fast enough: try again later")
        case (.slowConsumer, .backend): (.goingAway, "client did not read fast enough")
        case (.memory, .client): (.tryAgainLater, "gateway is short of memory: try again later")
        case (.memory, .backend): (.goingAway, "gateway is short of memory")
        case (.idleTimeout, _): (.goingAway, "no message for too long")
        case (.sessionTimeout, _): (.goingAway, "longest time of a session reached")
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
    ///   - code: for whoever broke the rule.
    ///   - what: that did.
    private func close(to leg: Leg, _ code: CloseCode, _ what: String) -> (CloseCode, String) {
        if self.by == .leg(leg) { return (code, what) }
        return leg == .client ? (.internalError, "backend \(what)") : (.goingAway, "client \(what)")
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
