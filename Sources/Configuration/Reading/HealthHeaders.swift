internal import HTTP1

/// `headers:` of a backend's `health`: fields of what a check asks, by name. Values may be credentials: no message says them.
enum HealthHeaders {
    /// The fields in the order of the file; those with mistakes, which are reported, are left out.
    static func fields(_ mapping: MappingReader) -> HTTPFields {
        let key = Keys.health.headers
        var fields = HTTPFields()
        guard
            let entries = mapping.entry(key)?.value.entries(
                subject: "`\(key.name)`", diagnostics: mapping.diagnostics)
        else { return fields }
        for entry in entries {
            if let flaw = self.flaw(ofName: entry.key, besides: fields) {
                mapping.diagnostics.report(entry.position, "`\(entry.key)` \(flaw)")
                continue
            }
            let value = entry.value.value(subject: "`\(entry.key)`", diagnostics: mapping.diagnostics, self.value)
            if let value { fields.append(entry.key, value) }
        }
        return fields
    }

    /// Why a check cannot send a field of this name; `nil` if it can.
    private static func flaw(ofName name: String, besides others: HTTPFields) -> String? {
        guard !name.isEmpty, name.utf8.allSatisfy(\.isToken) else {
            return "is not the name of a field: it may have letters, digits and `-`"
        }
        switch name.asciiLowercased {
        case "host": return "is set by `host`"
        case "sec-websocket-protocol": return "is set by `subprotocol`"
        case "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
            "http2-settings":
            return "is about one connection, which the gateway manages: remove it"
        case "content-length", "expect": return "is for requests with a body: remove it"
        case let name where name.hasPrefix("sec-websocket-"): return "is part of the opening handshake: remove it"
        default: return others.has(name) ? "is a duplicate: case does not count in the name of a field" : nil
        }
    }

    private static func value(_ text: String) throws(Mistake) -> String {
        let isWhole = text.utf8.first?.isVisible != false && text.utf8.last?.isVisible != false
        guard isWhole, text.utf8.allSatisfy({ $0.isVisible || $0 == .space }) else {
            throw Mistake("must be one line of printable ASCII without spaces at its ends")
        }
        return text
    }
}
