internal import HTTP1

/// Which fields of one side are passed on to the other, in requests and answers, upgrades and refusals.
///
/// Names are compared as CGI-like servers fold them: without case, and with every character that is not a letter or a digit as `-`. So
/// `X_Forwarded_For` and `X!Forwarded!For` are taken out with `X-Forwarded-For`.
enum FieldFilter {
    /// Appends the fields of a client's request that a backend gets unchanged. Left out are those that the gateway writes (Host,
    /// Origin, the handshake's, `X-Forwarded-For/-Proto/-Host/-Port`, `X-Real-IP`, `X-Request-Id`), and those that name another URL,
    /// host or method than the request's own: they have led backends past a route (CVE-2018-14773).
    static func append(request fields: HTTPFields, isFromTrustedProxy: Bool, to kept: inout HTTPFields) {
        let names = Names.all
        self.append(endToEnd: fields, names, to: &kept) { name in
            if names.keptFromBackends.contains(name) || name.isFolded(startingWith: names.originalPrefix) {
                return true
            }
            guard names.saidByProxies.contains(name) || name.isFolded(startingWith: names.forwardedPrefix) else {
                return false
            }
            // In another spelling than the proxy's own it does not come from the proxy.
            return !isFromTrustedProxy || !name.isFolded
        }
    }

    /// The fields of a backend's answer that a client gets unchanged.
    static func response(_ fields: HTTPFields) -> HTTPFields {
        var kept = HTTPFields()
        self.append(endToEnd: fields, .all, to: &kept) { _ in false }
        return kept
    }

    /// The same for a refusal, with the versions that the backend speaks instead (RFC 6455 section 4.4).
    static func refusal(_ fields: HTTPFields) -> HTTPFields {
        var kept = self.response(fields)
        for version in fields.values("Sec-WebSocket-Version") { kept.append("Sec-WebSocket-Version", version) }
        return kept
    }

    /// Appends the end-to-end fields (RFC 9110 section 7.6.1) that are not of the handshake and not excluded by `isExcluded`.
    private static func append(
        endToEnd fields: HTTPFields, _ names: Names, to kept: inout HTTPFields, isExcluded: (Span<UInt8>) -> Bool
    ) {
        let named = self.namedByConnection(fields)
        kept.append(fields) { name in
            !name.isFolded(startingWith: names.handshakePrefix) && !names.ofThisHop.contains(name) && !isExcluded(name)
                && (named.isEmpty || !named.contains(name.folded))
        }
    }

    /// The folded names of fields that `Connection` declares hop-by-hop, beyond the fixed list.
    ///
    /// Usually there are none. A hostile head has thousands of elements, so each is looked at once.
    private static func namedByConnection(_ fields: HTTPFields) -> Set<[UInt8]> {
        var present: Set<[UInt8]> = []
        var named: Set<[UInt8]> = []
        // One buffer for all of them.
        var name: [UInt8] = []
        _ = fields.hasElement("Connection") { element in
            if Names.all.ofThisHop.contains(element) { return false }
            if present.isEmpty { fields.forEachName { present.insert($0.folded) } }
            element.fold(into: &name)
            if present.contains(name) { named.insert(name) }
            return false
        }
        return named
    }
}

/// The names that the filter knows, together because each is looked for in every field.
private struct Names: Sendable {
    static let all = Names()

    let ofThisHop = FoldedNames(
        "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te", "trailer",
        "transfer-encoding", "upgrade", "http2-settings", "content-length")
    let handshakePrefix = Array("sec-websocket-".utf8)
    let keptFromBackends = FoldedNames(
        "host", "origin", "expect", "x-request-id", "x-real-ip", "x-forwarded", "x-forwarded-for", "x-forwarded-proto",
        "x-forwarded-host", "x-forwarded-port", "x-forwarded-prefix", "x-forwarded-uri", "x-forwarded-method",
        "x-rewrite-url", "x-override-url", "x-http-method", "x-http-method-override", "x-method-override")
    let originalPrefix = Array("x-original-".utf8)
    let saidByProxies = FoldedNames("forwarded")
    let forwardedPrefix = Array("x-forwarded-".utf8)
}

/// A few names in their folded form. Most names differ from all of them in length or in the first letter, which is cheaper than hashing.
private struct FoldedNames: Sendable {
    private let names: [[UInt8]]
    /// The `mark` of each name.
    private let marks: UInt64

    init(_ names: String...) {
        self.names = names.map { Array($0.utf8) }
        self.marks = self.names.reduce(0) { $0 | Self.mark(length: $1.count, first: $1[0]) }
    }

    func contains(_ name: Span<UInt8>) -> Bool {
        guard !name.isEmpty, self.marks & Self.mark(length: name.count, first: name[0].folded) != 0 else {
            return false
        }
        for index in self.names.indices where self.names[index].count == name.count {
            if name.isFolded(startingWith: self.names[index]) { return true }
        }
        return false
    }

    /// One of 64 bits, by length and first letter.
    private static func mark(length: Int, first: UInt8) -> UInt64 { 1 << UInt64((length &* 5 &+ Int(first)) & 63) }
}

extension UInt8 {
    fileprivate var folded: UInt8 {
        self.isLetter || self.isDigit ? self.asciiLowercased : UInt8(ascii: "-")
    }
}

extension Span<UInt8> {
    /// Whether folding changes only the case of this name.
    fileprivate var isFolded: Bool {
        for index in self.indices where self[index].folded != self[index].asciiLowercased { return false }
        return true
    }

    /// Whether this name, once folded, starts with `prefix`, which is folded.
    fileprivate func isFolded(startingWith prefix: [UInt8]) -> Bool {
        guard self.count >= prefix.count else { return false }
        for index in prefix.indices where self[index].folded != prefix[index] { return false }
        return true
    }

    /// This name, folded.
    fileprivate var folded: [UInt8] {
        var folded: [UInt8] = []
        self.fold(into: &folded)
        return folded
    }

    fileprivate func fold(into folded: inout [UInt8]) {
        folded.removeAll(keepingCapacity: true)
        for index in self.indices { folded.append(self[index].folded) }
    }
}
