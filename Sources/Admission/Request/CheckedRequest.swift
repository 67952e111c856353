internal import Configuration
internal import Credentials
internal import HTTP1
internal import WebSocketProtocol

/// A request of which all is checked that no route has a say in.
///
/// An object, because the decision, the exchange and the session that follow all keep it, and it has many parts.
final class CheckedRequest: Sendable {
    let head: RequestHead
    /// `nil`: a request of HTTP/1.0 may have none.
    let host: Authority?
    let origin: String?
    let target: RequestTarget
    let forwarded: ForwardedHeaders
    /// `Sec-WebSocket-Key`
    let key: String?
    /// `Sec-WebSocket-Version`
    let version: String?
    /// What ends its body.
    let framing: MessageBody.Framing
    /// `RequestHead.isUpgrade`
    let isUpgrade: Bool
    /// `bearer`, as the client writes it, if it announced a token among its subprotocols: the answer if none of the others is.
    let announcement: String?

    /// - Throws: the answer to a request that can be read in two ways, or not at all.
    init(_ head: RequestHead, _ hops: Hops) throws(Refusal) {
        self.host = try Self.host(of: head)
        self.origin = try Self.origin(of: head)
        self.key = try Self.single("Sec-WebSocket-Key", in: head)
        self.version = try Self.single("Sec-WebSocket-Version", in: head)
        self.isUpgrade = head.isUpgrade
        guard !self.isUpgrade || !head.fields.has("Transfer-Encoding") else {
            throw Refusal(400, "Malformed request: a Transfer-Encoding.")
        }
        do throws(MessageBody.Failure) {
            self.framing = try MessageBody(ofRequest: head).framing
        } catch {
            throw .badBody(error)
        }
        // The bytes behind the head would be read as frames.
        guard !self.isUpgrade || !self.framing.hasBytes else { throw Refusal(400, "Malformed request: a body.") }
        self.target = try Self.target(of: head, self.host)
        self.forwarded = ForwardedHeaders(hops, host: self.host ?? .none)
        self.announcement = nil
        // The last use, so that it is not copied.
        self.head = head
    }

    /// A request as everything behind the decision sees it: without tokens in its target and its subprotocols, and without the fields that only
    /// credentials give. `Authorization` and cookies stay, because they may be for the backend, too.
    ///
    /// - Throws: 400 if its token is all that it offers as a subprotocol.
    init(_ request: CheckedRequest, without credentials: RouteCredentials, _ routeIndex: Int) throws(Refusal) {
        var head = request.head
        head.target = credentials.cleaned(target: head.target)
        head.fields = credentials.sentFields.removed(from: head.fields)
        self.announcement = try Self.removeToken(
            from: &head.fields, isUpgrade: request.isUpgrade, credentials, routeIndex)
        self.head = head
        self.target = RequestTarget(request.target, original: credentials.cleaned(target: request.target.original))
        self.host = request.host
        self.origin = request.origin
        self.forwarded = request.forwarded
        self.key = request.key
        self.version = request.version
        self.framing = request.framing
        self.isUpgrade = request.isUpgrade
    }

    /// - Returns: the announcement of the token.
    private static func removeToken(
        from fields: inout HTTPFields, isUpgrade: Bool, _ credentials: RouteCredentials, _ routeIndex: Int
    ) throws(Refusal) -> String? {
        let name = "Sec-WebSocket-Protocol"
        guard credentials.looksAtSubprotocols, fields.has(name) else { return nil }
        let values = fields.values(name)
        var kept = HTTPFields()
        kept.append(fields) { !$0.equalsIgnoringCase(name.utf8.span) }
        fields = kept
        // Only upgrades offer any.
        guard isUpgrade else { return nil }
        guard let offers = HeaderTokens.subprotocols(values) else { throw .malformedSubprotocols(routeIndex) }
        switch credentials.offer(offers) {
        case .names(let names, let announcement)?:
            if !names.isEmpty { fields.append(name, names.joined(separator: ", ")) }
            return announcement
        case .credentialAlone?: throw .tokenAlone(routeIndex)
        case nil: return nil
        }
    }

    /// The URL that the client asks for, by `http` or `https`.
    var url: String {
        "\(self.forwarded.scheme.rawValue)://\(self.forwarded.place.text)\(self.target.original)"
    }

    /// How it reached the gateway.
    var arrival: Arrival { self.forwarded.arrival }

    /// What a trusted proxy calls the request.
    var requestID: String? { ForwardedHeaders.requestID(of: self.head.fields, self.arrival) }

    /// Another request may follow on the connection once this one is answered (RFC 9112 section 9.3). A body would have to be read first.
    var keepsClient: Bool {
        self.head.version == .http11 && !self.framing.hasBytes && !self.head.fields.hasConnectionClose
    }

    /// The client may wait with the body until it is told to send it (RFC 9110 section 10.1.1).
    var expectsContinue: Bool {
        self.framing.hasBytes && self.head.version == .http11
            && self.head.fields.hasElement("Expect") { $0.equalsIgnoringCase("100-continue".utf8.span) }
    }

    // MARK: - Parts

    private static func host(of head: RequestHead) throws(Refusal) -> Authority? {
        switch head.fields.only("Host") {
        case .absent where head.version == .http10: return nil
        case .absent: throw .hostMissing()
        case .repeated: throw Refusal(400, "Malformed request: more than one Host.")
        case .once(let text):
            guard let host = Authority(text) else { throw Refusal(400, "Malformed request: a bad Host.") }
            return host
        }
    }

    private static func target(of head: RequestHead, _ host: Authority?) throws(Refusal) -> RequestTarget {
        // This asks about the server as a whole (RFC 9110 section 9.3.7).
        guard head.method != "OPTIONS" || head.target != "*" else { throw .method(head.method, allowed: ["GET"]) }
        do {
            return try RequestTarget(head.target, host: host ?? .none)
        } catch {
            throw Refusal(error)
        }
    }

    /// The longest Origin that is read, in bytes. A host name has at most 253, and there is little else in an Origin.
    private static let longestOrigin = 512

    private static func origin(of head: RequestHead) throws(Refusal) -> String? {
        guard let origin = try self.single("Origin", in: head) else { return nil }
        guard origin.utf8.count <= self.longestOrigin else {
            throw Refusal(400, "Malformed request: an Origin of more than \(String(self.longestOrigin)) bytes.")
        }
        return origin
    }

    /// The value of a field that may occur only once.
    private static func single(_ name: String, in head: RequestHead) throws(Refusal) -> String? {
        switch head.fields.only(name) {
        case .absent: return nil
        case .once(let value): return value
        case .repeated: throw Refusal(400, "Malformed request: more than one \(name).")
        }
    }
}

extension CheckedRequest: Equatable {
    /// Everything else follows from these.
    static func == (one: CheckedRequest, other: CheckedRequest) -> Bool {
        one === other || one.head == other.head && one.forwarded == other.forwarded
    }
}
