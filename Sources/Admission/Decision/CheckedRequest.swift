internal import Configuration
internal import HTTP1
internal import WebSocketProtocol

/// A request of which all is checked that no route has a say in.
struct CheckedRequest {
    let head: RequestHead
    let hops: Hops
    /// `nil`: a request of HTTP/1.0 may have none.
    let host: Authority?
    let origin: String?
    let target: RequestTarget
    let forwarded: ForwardedHeaders
    /// `Sec-WebSocket-Key`
    let key: String?
    /// `Sec-WebSocket-Version`
    let version: String?
    /// The body's length in digits, if the head says it.
    let contentLength: String?
    /// Whether it asks to become a WebSocket: all else is plain HTTP. HTTP/1.0 cannot ask (RFC 9110 section 7.8).
    let isUpgrade: Bool

    /// - Throws: the answer to a request that can be read in two ways, or not at all.
    init(_ head: RequestHead, _ hops: Hops) throws(Refusal) {
        self.head = head
        self.hops = hops
        self.host = try Self.host(of: head)
        self.origin = try Self.origin(of: head)
        self.key = try Self.single("Sec-WebSocket-Key", in: head)
        self.version = try Self.single("Sec-WebSocket-Version", in: head)
        self.isUpgrade =
            head.method == "GET" && head.version == .http11 && head.fields.offers("websocket", in: "Upgrade")
            && head.fields.offers("upgrade", in: "Connection")
        self.contentLength = try Self.contentLength(of: head)
        // The bytes behind the head would be read as frames.
        guard !self.isUpgrade || !head.fields.has("Transfer-Encoding") else {
            throw Refusal(400, "Malformed request: a Transfer-Encoding.")
        }
        guard !self.isUpgrade || self.contentLength?.utf8.allSatisfy({ $0 == UInt8(ascii: "0") }) != false else {
            throw Refusal(400, "Malformed request: a body.")
        }
        try Self.checkCoding(of: head)
        self.target = try Self.target(of: head, self.host)
        self.forwarded = ForwardedHeaders(hops, host: self.host ?? .none)
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

    private static func contentLength(of head: RequestHead) throws(Refusal) -> String? {
        guard let length = try self.single("Content-Length", in: head) else { return nil }
        guard !length.isEmpty, length.utf8.allSatisfy(\.isDigit) else {
            throw Refusal(400, "Malformed request: a bad Content-Length.")
        }
        return length
    }

    /// The only transfer coding is `chunked`, and nothing may say the body's length in another way (RFC 9112 section 6).
    private static func checkCoding(of head: RequestHead) throws(Refusal) {
        let codings = head.fields.values("Transfer-Encoding")
        guard !codings.isEmpty else { return }
        guard !head.fields.has("Content-Length") else {
            throw Refusal(400, "Malformed request: a Content-Length beside a Transfer-Encoding.")
        }
        guard head.version == .http11 else {
            throw Refusal(400, "Malformed request: a Transfer-Encoding in HTTP/1.0.")
        }
        if let other = head.fields.tokens("Transfer-Encoding").first(where: { $0 != "chunked" }) {
            throw Refusal(501, "The transfer coding \(peer: other) is not known here.", cure: "Use chunked.")
        }
        // Some readers of `,chunked`, or of two fields, see no coding.
        guard codings.count == 1, codings[0].equalsIgnoringCase("chunked") else {
            throw Refusal(400, "Malformed request: a bad Transfer-Encoding.")
        }
    }
}
