internal import HTTP1

/// Which fields of one side go on to the other. Requests and answers, upgrades and refusals go through here.
///
/// Names are compared as a CGI-like server would fold them: without case, `_` and `.` as `-`. So `X_Forwarded_For` is
/// taken out with `X-Forwarded-For`.
enum FieldFilter {
    /// The fields of a client's request that a backend gets unchanged. Not among them are those the gateway writes:
    /// Host, Origin, the handshake's, `X-Forwarded-For/-Proto/-Host`, `X-Request-Id`.
    static func request(_ fields: HTTPFields, isFromTrustedProxy: Bool) -> HTTPFields {
        self.endToEnd(fields) { name in
            if self.writtenByTheGateway.contains(name) { return true }
            guard self.saidByProxies.contains(name) || name.isFolded(startingWith: self.forwardedPrefix) else {
                return false
            }
            // Under another spelling than the proxy's own, it is not the proxy that says it.
            return !isFromTrustedProxy || !name.isFolded
        }
    }

    private static let writtenByTheGateway = FoldedNames(
        "host", "origin", "expect", "x-request-id", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host")
    private static let saidByProxies = FoldedNames("forwarded", "x-real-ip")
    private static let forwardedPrefix = Array("x-forwarded-".utf8)

    /// The fields of a backend's answer that a client gets unchanged.
    static func response(_ fields: HTTPFields) -> HTTPFields {
        self.endToEnd(fields) { _ in false }
    }

    /// The fields that are not for the next hop only (RFC 9110 section 7.6.1) and not of the handshake, but for those
    /// that `isExcluded` names.
    private static func endToEnd(_ fields: HTTPFields, isExcluded: (Span<UInt8>) -> Bool) -> HTTPFields {
        var kept = HTTPFields()
        kept.append(fields) { name in
            !self.ofThisHop.contains(name) && !name.isFolded(startingWith: self.handshakePrefix) && !isExcluded(name)
                && !fields.hasElement("Connection") { $0.isFolded(equalTo: name) }
        }
        return kept
    }

    private static let ofThisHop = FoldedNames(
        "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te", "trailer",
        "transfer-encoding", "upgrade", "http2-settings", "content-length")
    private static let handshakePrefix = Array("sec-websocket-".utf8)
}

/// A few names in their folded form. Most names differ from all of them in their length, so that looking is cheaper than hashing.
private struct FoldedNames: Sendable {
    private let names: [[UInt8]]

    init(_ names: String...) { self.names = names.map { Array($0.utf8) } }

    func contains(_ name: Span<UInt8>) -> Bool {
        for folded in self.names where folded.count == name.count && name.isFolded(startingWith: folded) { return true }
        return false
    }
}

extension UInt8 {
    fileprivate var folded: UInt8 {
        self == UInt8(ascii: "_") || self == UInt8(ascii: ".") ? UInt8(ascii: "-") : self.asciiLowercased
    }
}

extension Span<UInt8> {
    /// Whether nothing but the case changes when this name is folded.
    fileprivate var isFolded: Bool {
        for index in self.indices where self[index].folded != self[index].asciiLowercased { return false }
        return true
    }

    /// Whether this name, once it is folded, starts with `prefix`, which is.
    fileprivate func isFolded(startingWith prefix: [UInt8]) -> Bool {
        guard self.count >= prefix.count else { return false }
        for index in prefix.indices where self[index].folded != prefix[index] { return false }
        return true
    }

    /// Whether both are the same name once they are folded.
    fileprivate func isFolded(equalTo other: Span<UInt8>) -> Bool {
        guard self.count == other.count else { return false }
        for index in self.indices where self[index].folded != other[index].folded { return false }
        return true
    }
}
