internal import HTTP1

/// `headers:` of a route or a check: header fields by name.
enum HeadersSection {
    /// What the fields are of.
    enum Use {
        /// A route's answers.
        case answers
        /// The requests that a health check sends.
        case checks
        /// The requests of clients that have shown a credential.
        case credentials
    }

    /// The fields in the order of the file; those with mistakes, which are reported, are left out.
    static func fields(_ mapping: MappingReader, _ key: NamedTextsKey, for use: Use) -> HTTPFields {
        var fields = HTTPFields()
        guard let node = mapping.entry(key)?.value,
            let entries = node.entries(subject: "`\(key.name)`", diagnostics: mapping.diagnostics)
        else { return fields }
        for entry in entries {
            if let flaw = self.flaw(ofName: entry.key, besides: fields, use) {
                mapping.diagnostics.report(entry.position, "`\(entry.key)` \(flaw)")
                continue
            }
            let value = entry.value.value(
                subject: "`\(entry.key)`", diagnostics: mapping.diagnostics
            ) { text throws(Mistake) in try Word.fieldValue(text) }
            if let value { fields.append(entry.key, value) }
        }
        return fields
    }

    /// Why a field of this name cannot be set; `nil` if it can.
    private static func flaw(ofName name: String, besides others: HTTPFields, _ use: Use) -> String? {
        guard !name.isEmpty, name.utf8.allSatisfy(\.isToken) else {
            return "is not the name of a field: it may have letters, digits and `-`"
        }
        let folded = name.asciiLowercased
        guard !self.ofOneConnection.contains(folded) else {
            return "is about one connection, which the gateway manages: remove it"
        }
        switch (use, folded) {
        case (_, "content-length"), (.answers, "date"), (.checks, "expect"):
            return "is written by the gateway: remove it"
        case (.answers, "set-cookie"): return "would give all clients the same cookie: remove it"
        case (.checks, "host"): return "is set by `host`"
        case (.checks, "sec-websocket-protocol"): return "is set by `subprotocol`"
        case (.credentials, _) where self.ofRequests.contains(HeaderName.folded(name)):
            return "is passed on, or set by the gateway: choose another name"
        case _ where folded.hasPrefix("sec-websocket-"): return "is part of the opening handshake: remove it"
        default: return others.has(name) ? "is a duplicate: case does not count in the name of a field" : nil
        }
    }

    /// Why a field of this name cannot be sent to a backend because of a credential; `nil` if it can.
    ///
    /// - Parameter others: The names that are sent besides. Backends may take `_` and `.` for `-`, so these are equal.
    static func flaw(ofSent name: String, besides others: [String]) -> String? {
        if let flaw = self.flaw(ofName: name, besides: HTTPFields(), .credentials) { return flaw }
        let folded = HeaderName.folded(name)
        return others.contains { HeaderName.folded($0) == folded }
            ? "is a duplicate: backends may take names for the same that differ in case, `_` and `.` alone" : nil
    }

    /// Fields of requests that the gateway makes itself, or of which the client's own are passed on.
    private static let ofRequests: Set = [
        "host", "origin", "cookie", "forwarded", "x-real-ip", "x-request-id", "x-forwarded-for", "x-forwarded-proto",
        "x-forwarded-host", "x-forwarded-port", "x-forwarded-prefix", "x-forwarded-uri", "x-forwarded-method",
        "x-original-url", "x-original-method",
    ]

    private static let ofOneConnection: Set = [
        "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te", "trailer",
        "transfer-encoding", "upgrade", "http2-settings",
    ]
}
