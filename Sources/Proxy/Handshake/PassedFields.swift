internal import HTTP1

/// Which fields of a head may go on to the other side. One rule for requests, 101s and refusals alike: the paths that were
/// thought to be special are the ones that leaked (CVE-2024-45410, CVE-2026-55458).
enum PassedFields {
    /// Of the connection, not of the message (RFC 9110 section 7.6.1).
    private static let hopByHop: Set<String> = [
        "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
        "proxy-authenticate", "proxy-authorization", "content-length", "http2-settings",
    ]

    /// What we say ourselves, and nobody may say in our place. Compared with `_` and `.` folded to `-`, as backends that turn
    /// fields into variables do.
    private static let managed: Set<String> = [
        "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-request-id", "forwarded", "x-real-ip",
    ]

    /// The fields of a request that a backend gets as they are.
    static func ofRequest(_ fields: HTTPFields) -> HTTPFields {
        self.endToEnd(fields) { name in
            name == "host" || name == "origin" || name == "expect" || self.managed.contains(self.folded(name))
        }
    }

    /// The fields of a backend's answer that the client gets as they are.
    static func ofResponse(_ fields: HTTPFields) -> HTTPFields {
        self.endToEnd(fields) { _ in false }
    }

    private static func endToEnd(_ fields: HTTPFields, without isOurs: (String) -> Bool) -> HTTPFields {
        let nominated = Set(fields.members("connection").map(\.asciiLowercased))
        return HTTPFields(
            fields.all.filter { field in
                let name = field.name.asciiLowercased
                return !self.hopByHop.contains(name) && !nominated.contains(name)
                    && !self.folded(name).hasPrefix("sec-websocket-") && !isOurs(name)
            })
    }

    private static func folded(_ name: String) -> String {
        String(name.map { $0 == "_" || $0 == "." ? "-" : $0 })
    }
}
