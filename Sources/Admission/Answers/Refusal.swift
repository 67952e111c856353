public import HTTP1

/// Why there is no session: an answer for the client and words for the log.
public struct Refusal: Error, Equatable, Sendable {
    var answer: Answer
    /// For the log: what was wrong, without the cure.
    public var detail: String
    /// `detail` without the parts that differ between refusals of one kind (`Wording.kind`).
    public private(set) var kind: String
    /// What the operator can do about it, in a sentence; may be empty.
    var cure: String
    /// The route that refused, once one was found.
    public var routeIndex: Int?
    /// The request was a HEAD: its answer has no body.
    var isToHead = false
    /// Another request may follow on the connection.
    public internal(set) var keepsClient = false

    /// The answer is `wording`, followed by `cure` if that is not empty.
    init(
        _ status: Int, _ wording: Wording, cure: String = "", fields: HTTPFields = HTTPFields(), routeIndex: Int? = nil
    ) {
        let text = [wording.text, cure].filter { !$0.isEmpty }.joined(separator: " ")
        self.answer = Answer(status: status, text: text + "\n", fields: fields)
        self.detail = wording.text
        self.kind = wording.kind
        self.cure = cure
        self.routeIndex = routeIndex
    }

    /// A backend's own refusal, passed on.
    ///
    /// - Parameter fields: further ones of the gateway, beside the backend's.
    public init(passingOn answer: Answer, with fields: HTTPFields, routeIndex: Int?) {
        self.answer = answer
        self.answer.fields.append(fields)
        self.detail = "The backend refused the upgrade with \(answer.status)."
        self.kind = self.detail
        self.cure = ""
        self.routeIndex = routeIndex
    }

    /// An auth service's own refusal, passed on.
    ///
    /// - Parameter status: what it answered. The client may get another.
    init(ofAuthService answer: Answer, status: Int, routeIndex: Int) {
        self.answer = answer
        self.detail = "The auth service refused the request with \(status)."
        self.kind = self.detail
        self.cure = ""
        self.routeIndex = routeIndex
    }

    /// A backend's own refusal, for the log: it goes on as the answer to a plain request.
    public init(passedOn status: Int, routeIndex: Int?) {
        let answer = Answer(status: status, reason: "", fields: HTTPFields(), body: [])
        self.init(passingOn: answer, with: HTTPFields(), routeIndex: routeIndex)
    }

    /// The status of the answer, 200 to 999.
    public var status: Int { self.answer.status }

    /// Whether it leaves no doubt where the next request begins, and no reason to come back later on another connection.
    var isAboutThisRequestAlone: Bool { [302, 401, 403, 404, 405, 416].contains(self.status) }

    /// Tells the operator more than the client.
    mutating func explain(_ wording: Wording, cure: String) {
        self.detail = wording.text
        self.kind = wording.kind
        self.cure = cure
    }

    /// The whole answer as it goes on the wire; the parameters as in `Answer.bytes`.
    public func bytes(
        keepsClient: Bool = false, headers: HTTPFields = HTTPFields(), cookies: HTTPFields = HTTPFields(), date: String
    ) -> [UInt8] {
        self.answer.bytes(
            forHead: self.isToHead, keepsClient: keepsClient, headers: headers, cookies: cookies, date: date)
    }

    // MARK: - Before a route is known

    /// The head is malformed or too large.
    public init(_ error: HeadError) {
        switch error.kind {
        case .malformed: self.init(400, "Malformed request: \(error.detail).")
        case .unsupportedVersion: self.init(400, "Malformed request: \(error.detail).", cure: "Speak HTTP/1.1.")
        case .tooLarge: self.init(431, "The head of the request is too large: \(error.detail).")
        }
    }

    /// It cannot be known where the body ends, or it is not framed as its head says.
    public static func badBody(_ failure: MessageBody.Failure, routeIndex: Int? = nil) -> Refusal {
        failure == .unknownCoding
            ? Refusal(501, "This transfer coding is not understood here.", cure: "Use chunked.", routeIndex: routeIndex)
            : Refusal(400, "Malformed request: \(failure.description).", routeIndex: routeIndex)
    }

    /// The head did not come within `timeouts.handshake`.
    public static var headTimeout: Refusal {
        Refusal(408, "The request did not arrive in time.")
    }

    /// Only some answers can do without a Host.
    static func hostMissing(routeIndex: Int? = nil) -> Refusal {
        Refusal(400, "Malformed request: the Host is missing.", routeIndex: routeIndex)
    }

    /// - Parameters:
    ///   - method: that of the request.
    ///   - allowed: those that are taken instead.
    static func method(_ method: String, allowed: [String], routeIndex: Int? = nil) -> Refusal {
        Refusal(
            405, "The method \(peer: method) is not allowed here.", fields: ["Allow": allowed.joined(separator: ", ")],
            routeIndex: routeIndex)
    }

    // MARK: - Once a route is known

    /// A plain request where only sessions are served.
    public static func upgradeRequired(routeIndex: Int) -> Refusal {
        Refusal(
            426, "This is a WebSocket address.", cure: "Connect with a WebSocket client (ws:// or wss://).",
            routeIndex: routeIndex)
    }

    /// The list of subprotocols is none.
    static func malformedSubprotocols(_ routeIndex: Int) -> Refusal {
        Refusal(400, "The Sec-WebSocket-Protocol is malformed.", routeIndex: routeIndex)
    }

    /// There is only a token among the subprotocols, and so none to answer with.
    static func tokenAlone(_ routeIndex: Int) -> Refusal {
        Refusal(
            400, "The token is the only subprotocol.", cure: "Offer another one beside it, such as bearer before it.",
            routeIndex: routeIndex)
    }

    /// No endpoint has this token. It is not said which token that is.
    public static func unknownToken(routeIndex: Int) -> Refusal {
        Refusal(404, "The token is unknown.", routeIndex: routeIndex)
    }

    /// No endpoint is up.
    public static func noEndpoint(routeIndex: Int) -> Refusal {
        Refusal(
            503, "No endpoint of the backend is up.", cure: "Try again soon.", fields: ["Retry-After": "5"],
            routeIndex: routeIndex)
    }

    /// The gateway drains and takes no new sessions. `routeIndex` is `nil` where no route was looked for.
    public static func draining(routeIndex: Int?) -> Refusal {
        Refusal(
            503, "The gateway is shutting down.", cure: "Try again soon.", fields: ["Retry-After": "5"],
            routeIndex: routeIndex)
    }

    /// All sessions together hold too much memory.
    public static var outOfMemory: Refusal {
        Refusal(503, "The gateway is out of memory.", cure: "Try again soon.", fields: ["Retry-After": "5"])
    }

    /// The connection to the backend failed; `why` says how, for the log only.
    public static func connectFailed(_ why: String, routeIndex: Int) -> Refusal {
        var refusal = Refusal(502, "The backend cannot be reached.", routeIndex: routeIndex)
        refusal.detail = "The backend cannot be reached: \(why)."
        return refusal
    }

    /// The backend's answer is not an upgrade; `why` says how, for the log only.
    public static func badBackend(_ why: String, routeIndex: Int) -> Refusal {
        var refusal = Refusal(502, "The backend did not answer as a WebSocket server does.", routeIndex: routeIndex)
        refusal.detail = "The backend did not answer as a WebSocket server does: \(why)."
        return refusal
    }

    /// Connecting, or the backend's handshake, took longer than its timeout.
    public static func backendTimeout(_ why: String, routeIndex: Int) -> Refusal {
        var refusal = Refusal(504, "The backend did not answer in time.", routeIndex: routeIndex)
        refusal.detail = "The backend did not answer in time: \(why)."
        return refusal
    }
}
