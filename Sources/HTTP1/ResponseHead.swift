/// The head of a response: the status line and the fields (RFC 9112 section 4).
public struct ResponseHead: Equatable, Sendable {
    /// As sent.
    public var version: HTTPVersion
    /// 100 to 999.
    public var status: Int
    /// The reason phrase. It may be empty.
    public var reason: String
    /// In the order sent.
    public var fields: HTTPFields

    /// The parts as the properties have them. In `bytes`, what a reason phrase cannot have becomes a space.
    public init(version: HTTPVersion = .http11, status: Int, reason: String, fields: HTTPFields = HTTPFields()) {
        self.version = version
        self.status = status
        self.reason = reason
        self.fields = fields
    }

    /// The head for the wire, always in HTTP/1.1, with the empty line at its end.
    public var bytes: [UInt8] {
        var head = HeadWriter(status: self.status, reason: self.reason)
        head.append(self.fields)
        return head.finished()
    }
}

/// The usual reason phrase of a status that we answer with (RFC 9110 section 15, RFC 6585); empty for other statuses.
public func reasonPhrase(ofStatus status: Int) -> String {
    switch status {
    case 200: "OK"
    case 204: "No Content"
    case 206: "Partial Content"
    case 301: "Moved Permanently"
    case 302: "Found"
    case 303: "See Other"
    case 304: "Not Modified"
    case 307: "Temporary Redirect"
    case 308: "Permanent Redirect"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 408: "Request Timeout"
    case 410: "Gone"
    case 412: "Precondition Failed"
    case 413: "Content Too Large"
    case 416: "Range Not Satisfiable"
    case 421: "Misdirected Request"
    case 422: "Unprocessable Content"
    case 426: "Upgrade Required"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    default: ""
    }
}
