public import HTTP1

/// An answer of the admin address, after which the connection is closed.
public struct AdminResponse: Error, Equatable, Sendable {
    public var status: Int
    public var contentType: String
    /// Beside those that every answer has.
    public var fields: HTTPFields
    public var body: [UInt8]

    public init(_ status: Int, contentType: String, body: [UInt8], fields: HTTPFields = HTTPFields()) {
        self.status = status
        self.contentType = contentType
        self.body = body
        self.fields = fields
    }

    /// A short text, which gets a newline.
    public init(_ status: Int, _ text: String, fields: HTTPFields = HTTPFields()) {
        self.init(
            status, contentType: "text/plain; charset=utf-8", body: Array(text.utf8) + [.lineFeed], fields: fields)
    }

    /// The answer as it goes on the wire.
    ///
    /// - Parameters:
    ///   - forHead: it answers a HEAD: it has no body but says its length.
    ///   - date: when it is made, as HTTP writes it (RFC 9110 section 6.6.1).
    public func bytes(forHead: Bool = false, date: String) -> [UInt8] {
        // RFC 9111 section 5.2.2.5, and the Fetch standard's "nosniff": what is shown here is of this moment, and never a script.
        var fields: HTTPFields = [
            "Date": date, "Content-Type": self.contentType, "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        ]
        for field in self.fields { fields.append(field) }
        fields.append("Content-Length", String(self.body.count))
        fields.append("Connection", "close")
        let head = ResponseHead(status: self.status, reason: reasonPhrase(ofStatus: self.status), fields: fields)
        return forHead ? head.bytes : head.bytes + self.body
    }
}
