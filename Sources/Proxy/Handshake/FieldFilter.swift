internal import HTTP1

/// Which fields of one side go on to the other. Requests and answers, upgrades and refusals go through here.
///
/// Names are compared as a CGI-like server would fold them: without case, `_` and `.` as `-`. So `X_Forwarded_For` is
/// taken out with `X-Forwarded-For`.
enum FieldFilter {
    /// The fields of a client's request that a backend gets unchanged. Not among them are those the gateway writes:
    /// Host, Origin, the handshake's, `X-Forwarded-For/-Proto/-Host`, `X-Request-Id`.
    static func request(_ fields: HTTPFields, isFromTrustedProxy: Bool) -> HTTPFields {
        self.endToEnd(fields) { name, folded in
            if self.writtenByTheGateway.contains(folded) { return true }
            guard self.saidByProxies.contains(folded) || folded.hasPrefix("x-forwarded-") else { return false }
            return !isFromTrustedProxy || name != folded
        }
    }

    private static let writtenByTheGateway: Set = [
        "host", "origin", "expect", "x-request-id", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host",
    ]
    private static let saidByProxies: Set = ["forwarded", "x-real-ip"]

    /// The fields of a backend's answer that a client gets unchanged.
    static func response(_ fields: HTTPFields) -> HTTPFields {
        self.endToEnd(fields) { _, _ in false }
    }

    /// The fields that are not for the next hop only (RFC 9110 section 7.6.1) and not of the handshake, but for those
    /// `isExcluded` names; it gets each name in lower case, and folded.
    private static func endToEnd(_ fields: HTTPFields, isExcluded: (String, String) -> Bool) -> HTTPFields {
        let nominated = Set(fields.tokens("Connection").map(self.folded))
        var kept = HTTPFields()
        for field in fields {
            let name = field.name.asciiLowercased
            let folded = self.folded(name)
            guard !self.isOfThisHop(folded), !nominated.contains(folded), !isExcluded(name, folded) else { continue }
            kept.append(field)
        }
        return kept
    }

    private static func isOfThisHop(_ folded: String) -> Bool {
        self.ofThisHop.contains(folded) || folded.hasPrefix("sec-websocket-")
    }

    private static let ofThisHop: Set = [
        "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te", "trailer",
        "transfer-encoding", "upgrade", "http2-settings", "content-length",
    ]

    private static func folded(_ name: String) -> String {
        guard name.utf8.contains(where: { $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".") }) else { return name }
        let bytes = name.utf8.map { $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".") ? UInt8(ascii: "-") : $0 }
        return String(decoding: bytes, as: UTF8.self)
    }
}
