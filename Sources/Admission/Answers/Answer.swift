public import HTTP1

/// A whole answer of the gateway's own, in place of a 101 or of a backend's answer.
public struct Answer: Equatable, Sendable {
    /// 200 to 599.
    public var status: Int
    var reason: String
    /// All but `Content-Length` and `Connection`, which `bytes` writes.
    var fields: HTTPFields
    var body: [UInt8]

    /// How many bytes its body has. A 204 and a 304 have none (RFC 9110 section 8.6).
    public var length: Int { self.hasBody ? self.body.count : 0 }

    private var hasBody: Bool { self.status != 204 && self.status != 304 }

    init(status: Int, reason: String, fields: HTTPFields, body: [UInt8]) {
        self.status = status
        self.reason = reason
        self.fields = fields
        self.body = body
    }

    /// A short text.
    init(status: Int, text: String, fields: HTTPFields = HTTPFields()) {
        var all: HTTPFields = [
            "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        ]
        all.append(fields)
        self.init(status: status, reason: reasonPhrase(ofStatus: status), fields: all, body: Array(text.utf8))
    }

    /// A JSON text of the gateway's own.
    public static func json(_ text: [UInt8]) -> Answer {
        var answer = Answer(status: 200, text: "")
        answer.fields.set(["Content-Type": "application/json"])
        answer.body = text
        return answer
    }

    /// A self-contained page: its scripts and styles are in it, and it may open WebSocket connections.
    public static func page(_ html: [UInt8], contentType: String = "text/html; charset=utf-8") -> Answer {
        let policy = """
            default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; \
            connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'
            """
        return Answer(
            status: 200, reason: reasonPhrase(ofStatus: 200),
            fields: [
                "Content-Type": contentType, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
                "Content-Security-Policy": policy, "Referrer-Policy": "no-referrer",
            ], body: html)
    }

    /// The answer as it goes on the wire.
    ///
    /// - Parameters:
    ///   - forHead: it answers a HEAD: it has no body but says its length.
    ///   - keepsClient: another request may follow on the connection.
    ///   - headers: those of the route, which replace others of their names.
    ///   - cookies: fields Set-Cookie of the route's auth service, beside those of this answer.
    ///   - date: when it is made, as HTTP writes it. A backend's answer keeps its own Date (RFC 9110 section 6.6.1).
    public func bytes(
        forHead: Bool = false, keepsClient: Bool = false, headers: HTTPFields = HTTPFields(),
        cookies: HTTPFields = HTTPFields(), date: String
    ) -> [UInt8] {
        var fields = self.fields
        fields.set(headers)
        fields.append(cookies)
        if !fields.has("Date") { fields.append("Date", date) }
        // The length of a 304 would be that of the 200 it stands for.
        if self.hasBody { fields.append("Content-Length", String(self.body.count)) }
        // RFC 9110 section 15.5.22: a 426 must name what to upgrade to, which is a field of this hop.
        if self.status == 426 { fields.append("Upgrade", "websocket") }
        let connection = (self.status == 426 ? ["Upgrade"] : []) + (keepsClient ? [] : ["close"])
        if !connection.isEmpty { fields.append("Connection", connection.joined(separator: ", ")) }
        let head = ResponseHead(status: self.status, reason: self.reason, fields: fields)
        return forHead || !self.hasBody ? head.bytes : head.bytes + self.body
    }
}
