public import HTTP1

/// The final head of a backend's answer to a plain request, on its way to the client.
public final class PassedHead: Sendable {
    /// 200 to 999.
    public var status: Int { self.head.status }
    /// What ends the body on its way to the client.
    private let framing: MessageBody.Framing
    private let body: MessageBody
    private let version: HTTPVersion
    /// Its connection can carry another request, once the body is read (RFC 9112 section 9.3).
    public let keepsBackend: Bool
    private let head: ResponseHead

    /// - Parameter version: the client's.
    init(_ head: ResponseHead, _ body: MessageBody, to version: HTTPVersion) {
        self.body = body
        self.version = version
        self.framing = body.framing.passed(to: version)
        self.keepsBackend =
            head.version == .http11 && body.framing != .untilEnd && !head.fields.hasConnectionClose
        // The last use, so that it is not copied.
        self.head = head
    }

    /// Only the end of the client's connection ends the body.
    public var endsWithConnection: Bool { self.framing == .untilEnd }

    /// Passes the body on.
    public var passage: BodyPassage {
        BodyPassage(self.body, after: self.head.fields, of: .backend, to: self.version)
    }

    /// The head as it goes to the client.
    ///
    /// - Parameters:
    ///   - keepsClient: the client's connection goes on after the body; false where that ends with the connection.
    ///   - headers: those of the route, which replace others of their names.
    ///   - cookies: fields Set-Cookie beside the backend's own.
    ///   - date: when it is made, as in `Answer.bytes`. A backend's answer keeps its own Date (RFC 9110 section 6.6.1).
    public func bytes(
        keepsClient: Bool, headers: HTTPFields, cookies: HTTPFields, date: @autoclosure () -> String
    ) -> [UInt8] {
        var head = HeadWriter(status: self.status, reason: self.head.reason)
        let filter = FieldFilter(refusal: self.head.fields)
        var hasDate = headers.has("Date")
        head.append(self.head.fields) { name in
            guard filter.passes(name), headers.isEmpty || !headers.has(name) else { return false }
            if name.equalsIgnoringCase("Date".utf8.span) { hasDate = true }
            return true
        }
        head.append(headers)
        head.append(cookies)
        if !hasDate { head.append("Date", date()) }
        head.append(framing: self.framing)
        // Without a body it is the length of the one that a GET gets (RFC 9110 section 8.6). A 204 has none.
        if self.framing == .none, self.status != 204, let length = self.head.fields.first("Content-Length") {
            head.append("Content-Length", length)
        }
        var connection = keepsClient ? [] : ["close"]
        if self.status == 426 {
            // It must name what to upgrade to (RFC 9110 section 15.5.22), and only that passes here.
            head.append("Upgrade", "websocket")
            connection.insert("Upgrade", at: 0)
        }
        if !connection.isEmpty { head.append("Connection", connection.joined(separator: ", ")) }
        return head.finished()
    }
}

extension PassedHead: Equatable {
    /// Whether both go to the client alike, with alike bodies behind them.
    public static func == (one: PassedHead, other: PassedHead) -> Bool {
        one.head == other.head && one.version == other.version && one.body == other.body
    }
}
