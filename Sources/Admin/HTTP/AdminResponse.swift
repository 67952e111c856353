public import HTTP1

/// An answer of the admin address. The connection is closed behind it.
public struct AdminResponse: Error, Equatable, Sendable {
    /// The HTTP status.
    public var status: Int
    /// The value of Content-Type.
    public var contentType: String
    /// Fields beside those that every answer has.
    public var fields: HTTPFields
    /// The body.
    public var body: [UInt8]

    /// An answer with a body of any type.
    public init(_ status: Int, contentType: String, body: [UInt8], fields: HTTPFields = HTTPFields()) {
        self.status = status
        self.contentType = contentType
        self.body = body
        self.fields = fields
    }

    /// An answer with a line of text. The newline is added.
    public init(_ status: Int, _ text: String, fields: HTTPFields = HTTPFields()) {
        self.init(
            status, contentType: "text/plain; charset=utf-8", body: Array(text.utf8) + [.lineFeed], fields: fields)
    }

    /// The answer in HTTP/1.1.
    ///
    /// - Parameters:
    /// - forHead: whether it answers a HEAD: then it says the length of the body but has none.
    /// - date: the time, in the format of HTTP (RFC 9110 section 5.6.7).
    public func bytes(forHead: Bool = false, date: String) -> [UInt8] {
        // Answers are true for the moment only, so they are not cached (RFC 9111 section 5.2.2.5). With "nosniff" (Fetch standard) no
        // browser runs them as a script. Without a policy of its own an answer is for programs: a browser loads nothing for it, and frames it not.
        var fields: HTTPFields = [
            "Date": date, "Content-Type": self.contentType, "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        ]
        if !self.fields.has("Content-Security-Policy") {
            fields.append("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        }
        for field in self.fields { fields.append(field) }
        fields.append("Content-Length", String(self.body.count))
        fields.append("Connection", "close")
        let head = ResponseHead(status: self.status, reason: reasonPhrase(ofStatus: self.status), fields: fields)
        return forHead ? head.bytes : head.bytes + self.body
    }
}

/// Answers in JSON.
extension AdminResponse {
    /// An object.
    static func json(_ status: Int = 200, _ members: (inout JSONText) -> Void) -> AdminResponse {
        var text = JSONText()
        text.object(nil, members)
        return AdminResponse(status, contentType: "application/json", body: text.bytes + [.lineFeed])
    }

    /// An error.
    static func error(_ status: Int, _ message: String, fields: HTTPFields = HTTPFields()) -> AdminResponse {
        var response = Self.json(status) { $0.member("error", message) }
        response.fields = fields
        return response
    }
}
