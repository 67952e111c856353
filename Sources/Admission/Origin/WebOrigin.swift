public import Configuration
internal import HTTP1

/// An Origin as a browser writes it: scheme, host and port, and nothing after them (RFC 6454 section 7).
public struct WebOrigin: Equatable, Sendable {
    /// Lower case.
    public let scheme: String
    /// As `Authority.host`.
    let host: String
    /// The scheme's default if none was written.
    let port: UInt16

    /// Nil for `null`, for a list, and for all else that is not an origin.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), bytes[colon...].starts(with: "://".utf8) else {
            return nil
        }
        let scheme = bytes[..<colon]
        let others = Array("+-.".utf8)
        // A browser writes no colon without a port (RFC 6454 section 6.2).
        guard scheme.first?.isLetter == true, bytes.last != UInt8(ascii: ":"),
            scheme.allSatisfy({ $0.isLetter || $0.isDigit || others.contains($0) }),
            let authority = Authority(String(decoding: bytes[(colon + 3)...], as: UTF8.self))
        else { return nil }
        self.scheme = String(decoding: scheme, as: UTF8.self).asciiLowercased
        self.host = authority.host
        self.port = authority.port ?? defaultPort(ofScheme: self.scheme)
    }

    /// Whether host and port are those of an authority, which may leave out the default port of this scheme.
    public func isAt(_ authority: Authority) -> Bool {
        self.host == authority.host && self.port == authority.port ?? defaultPort(ofScheme: self.scheme)
    }

    /// Whether scheme, host and port are those of the pattern, or the host is below its domain.
    public func matches(_ pattern: OriginPattern) -> Bool {
        pattern.scheme == self.scheme && pattern.port == self.port && pattern.host.matches(self.host)
    }
}

extension HostPattern {
    /// Whether a host (as `Authority.host`) is the one named, or below the domain named.
    public func matches(_ host: String) -> Bool {
        switch self {
        case .exact(let name): name == host
        case .subdomains(let domain): host.utf8.count > domain.utf8.count + 1 && host.hasSuffix("." + domain)
        }
    }
}
