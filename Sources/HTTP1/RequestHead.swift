/// The versions of HTTP that a head may have (RFC 9112 section 2.3).
public enum HTTPVersion: Sendable {
    /// Some health checks ask with it, and Python's `http.server` and others answer with it. It cannot be upgraded.
    case http10
    /// RFC 9112. All that the gateway sends is in it.
    case http11
}

/// The head of a request: the request line and the fields (RFC 9112 section 3).
public struct RequestHead: Equatable, Sendable {
    /// A token, as sent: methods are case-sensitive.
    public var method: String
    /// The request target, as sent: visible US-ASCII without `#`.
    public var target: String
    /// As sent.
    public var version: HTTPVersion
    /// In the order sent.
    public var fields: HTTPFields

    /// The parts as the properties have them: nothing is checked.
    public init(method: String, target: String, version: HTTPVersion = .http11, fields: HTTPFields = HTTPFields()) {
        self.method = method
        self.target = target
        self.version = version
        self.fields = fields
    }

    /// The head for the wire, always in HTTP/1.1, with the empty line at its end.
    public var bytes: [UInt8] {
        var head = HeadWriter(request: self.method, self.target)
        head.append(self.fields)
        return head.finished()
    }
}
