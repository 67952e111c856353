internal import HTTP1

/// Which fields of one side are passed on to the other, in requests and answers, upgrades and refusals: the end-to-end ones (RFC 9110
/// section 7.6.1) that the gateway does not write itself.
///
/// Names are compared as CGI-like servers fold them: without case, and with every character that is not a letter or a digit as `-`. So
/// `X_Forwarded_For` and `X!Forwarded!For` are taken out with `X-Forwarded-For`.
struct FieldFilter {
    private enum Side: Equatable {
        case request(isFromTrustedProxy: Bool)
        case answer
        case refusal
    }

    private let side: Side
    private let names = Names.all
    /// The folded names of fields that `Connection` declares hop-by-hop, beyond the fixed list.
    private let named: Set<[UInt8]>

    /// For the fields of a client's request that a backend gets unchanged. Left out are those that the gateway writes (Host,
    /// Origin, the handshake's, `X-Forwarded-For/-Proto/-Host/-Port`, `X-Real-IP`, `X-Request-Id`), and those that name another URL,
    /// host or method than the request's own: they have led backends past a route (CVE-2018-14773).
    init(request fields: HTTPFields, isFromTrustedProxy: Bool) {
        self.init(fields, .request(isFromTrustedProxy: isFromTrustedProxy))
    }

    /// For the fields of a backend's answer that a client gets unchanged.
    init(answer fields: HTTPFields) { self.init(fields, .answer) }

    /// The same for a refusal, with the versions that the backend speaks instead (RFC 6455 section 4.4).
    init(refusal fields: HTTPFields) { self.init(fields, .refusal) }

    private init(_ fields: HTTPFields, _ side: Side) {
        self.side = side
        self.named = Self.namedByConnection(fields)
    }

    /// Whether a field of this name passes.
    func passes(_ name: Span<UInt8>) -> Bool {
        guard self.names.mayHave(name) || !self.named.isEmpty else { return true }
        guard !name.isFolded(startingWith: self.names.handshakePrefix) else {
            return self.side == .refusal && name.equalsIgnoringCase("Sec-WebSocket-Version".utf8.span)
        }
        guard !self.names.ofThisHop.contains(name), self.named.isEmpty || !self.named.contains(name.folded) else {
            return false
        }
        guard case .request(let isFromTrustedProxy) = self.side else { return true }
        if self.names.keptFromBackends.contains(name) || name.isFolded(startingWith: self.names.originalPrefix) {
            return false
        }
        guard self.names.saidByProxies.contains(name) || name.isFolded(startingWith: self.names.forwardedPrefix) else {
            return true
        }
        // In another spelling than the proxy's own it does not come from the proxy.
        return isFromTrustedProxy && name.isFolded
    }

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

extension HTTPFields {
    /// The fields that pass.
    func passing(_ filter: FieldFilter) -> HTTPFields {
        var kept = HTTPFields()
        kept.append(self) { filter.passes($0) }
        return kept
    }
}

/// The names that the filter knows, together because each is looked for in every field. An object, because each filter has it.
private final class Names: Sendable {
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
    /// The marks of all names; the prefixes begin with `s` and `x`.
    private let marks: UInt64

    private init() {
        self.marks = self.ofThisHop.marks | self.keptFromBackends.marks | self.saidByProxies.marks
    }

    /// Whether a name may be a known one, or begin with a known prefix. Most names are not.
    func mayHave(_ name: Span<UInt8>) -> Bool {
        guard !name.isEmpty else { return false }
        let first = name[0].folded
        return first == UInt8(ascii: "s") || first == UInt8(ascii: "x")
            || self.marks & FoldedNames.mark(length: name.count, first: first) != 0
    }
}

/// A few names in their folded form. Most names differ from all of them in length or in the first letter, which is cheaper than hashing.
private struct FoldedNames: Sendable {
    private let names: [[UInt8]]
    /// The `mark` of each name.
    let marks: UInt64

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
    static func mark(length: Int, first: UInt8) -> UInt64 { 1 << UInt64((length &* 5 &+ Int(first)) & 63) }
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
