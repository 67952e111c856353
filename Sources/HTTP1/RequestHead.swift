/// The head of a request: the request line and the fields (RFC 9112 section 3).
package struct RequestHead: Equatable, Sendable {
    /// A token, as sent: methods are case-sensitive.
    package var method: String
    /// Visible US-ASCII without `#`, as sent.
    package var target: String
    package var version: HTTPVersion
    package var fields: HTTPFields

    package init(method: String, target: String, version: HTTPVersion = .http11, fields: HTTPFields = HTTPFields()) {
        self.method = method
        self.target = target
        self.version = version
        self.fields = fields
    }

    /// The head as it goes on the wire, always as HTTP/1.1, with the empty line at its end.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(512)
        bytes.append(contentsOf: self.method.utf8)
        bytes.append(.space)
        bytes.append(contentsOf: self.target.utf8)
        bytes.append(contentsOf: " HTTP/1.1\r\n".utf8)
        self.fields.encode(into: &bytes)
        bytes.append(contentsOf: [.carriageReturn, .lineFeed])
        return bytes
    }
}
