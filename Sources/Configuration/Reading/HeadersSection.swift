internal import HTTP1

/// `headers:` of a route: fields for its answers, by name.
enum HeadersSection {
    /// The fields in the order of the file; those with mistakes, which are reported, are left out.
    static func fields(_ mapping: MappingReader, _ key: HeadersKey) -> HTTPFields {
        var fields = HTTPFields()
        guard let node = mapping.entry(key)?.value,
            let entries = node.entries(subject: "`\(key.name)`", diagnostics: mapping.diagnostics)
        else { return fields }
        for entry in entries {
            if let flaw = self.flaw(ofName: entry.key, besides: fields) {
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

    /// Why a route cannot set a field of this name; `nil` if it can.
    private static func flaw(ofName name: String, besides others: HTTPFields) -> String? {
        guard !name.isEmpty, name.utf8.allSatisfy(\.isToken) else {
            return "is not the name of a field: it may have letters, digits and `-`"
        }
        switch name.asciiLowercased {
        case "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te",
            "trailer",
            "transfer-encoding", "upgrade", "http2-settings":
            return "is about one connection, which the gateway manages: remove it"
        case "content-length", "date": return "is written by the gateway: remove it"
        case "set-cookie": return "would give all clients the same cookie: remove it"
        case let name where name.hasPrefix("sec-websocket-"): return "is part of the opening handshake: remove it"
        default: return others.has(name) ? "is a duplicate: case does not count in the name of a field" : nil
        }
    }
}
