internal import HTTP1

/// A whole HTTP answer that is not a 101. The connection ends after it.
struct Answer: Hashable, Sendable {
    let status: Int
    let reason: String
    let fields: HTTPFields
    let body: [UInt8]

    init(status: Int, reason: String? = nil, fields: HTTPFields, body: [UInt8]) {
        self.status = status
        self.reason = reason ?? Self.reason(status)
        self.fields = fields
        self.body = body
    }

    init(_ refusal: Refusal) {
        var fields: HTTPFields = [
            .init("Content-Type", "text/plain; charset=utf-8"), .init("Cache-Control", "no-store"),
            .init("X-Content-Type-Options", "nosniff"),
        ]
        for field in refusal.fields.all { fields.append(field.name, field.value) }
        self.init(status: refusal.status, fields: fields, body: Array((refusal.text + "\n").utf8))
    }

    /// As on the wire, with Content-Length and `Connection: close`.
    ///
    /// - Parameter headOnly: for HEAD, which is told the length of the body it does not get (RFC 9110 section 9.3.2).
    func bytes(headOnly: Bool = false) -> [UInt8] {
        var text = "HTTP/1.1 \(self.status) \(self.reason)\r\n"
        for field in self.fields.all { text += "\(field.name): \(field.value)\r\n" }
        text += "Content-Length: \(self.body.count)\r\n"
        if !self.fields.contains("connection") { text += "Connection: close\r\n" }
        return Array((text + "\r\n").utf8) + (headOnly ? [] : self.body)
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 400: "Bad Request"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 426: "Upgrade Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        default: "-"
        }
    }
}

/// The 101 that a client gets (RFC 6455 section 4.2.2).
enum SwitchingProtocols {
    /// - Parameters:
    ///   - accept: answers the client's key.
    ///   - fields: what else a backend's 101 said to the client, such as Set-Cookie.
    static func bytes(accept: String, subprotocol: String?, extensions: String?, passing fields: HTTPFields) -> [UInt8] {
        var text = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        text += "Sec-WebSocket-Accept: \(accept)\r\n"
        if let subprotocol { text += "Sec-WebSocket-Protocol: \(subprotocol)\r\n" }
        if let extensions { text += "Sec-WebSocket-Extensions: \(extensions)\r\n" }
        for field in fields.all { text += "\(field.name): \(field.value)\r\n" }
        return Array((text + "\r\n").utf8)
    }
}
