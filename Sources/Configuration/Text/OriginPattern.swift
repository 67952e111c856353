internal import HTTP1

/// One allowed origin: `https://app.example.com`, `https://*.example.com`, `http://localhost:3000`.
public struct OriginPattern: Hashable, Sendable, CustomStringConvertible {
    /// Lower case.
    public var scheme: String
    /// A host, or all below a domain.
    public var host: HostPattern
    /// The default port of the scheme where none was written; 0 where the scheme has none either (`capacitor://localhost`).
    public var port: UInt16

    /// The parts as the properties have them: nothing is checked.
    public init(scheme: String, host: HostPattern, port: UInt16) {
        self.scheme = scheme
        self.host = host
        self.port = port
    }

    /// Reads `https://app.example.com`, `https://*.example.com` or `http://localhost:3000`, as RFC 6454 section 6.2
    /// writes an origin: no path, not even `/`. Schemes of applications (`capacitor://localhost`) have no default port:
    /// theirs is 0.
    ///
    /// - Throws: A `Mistake` for anything else.
    public init(parsing text: String) throws(Mistake) {
        func refused(_ hint: String) -> Mistake {
            .expected("an origin such as `https://app.example.com` or `https://*.example.com`", not: text, hint: hint)
        }
        switch text {
        case "any", "same-origin", "*":
            throw refused("`origins: \(text == "*" ? "any" : text)` must stand alone, not in a list")
        case "null":
            throw refused("`null` is only let in by `origins: any`")
        default: break
        }
        guard let separator = text.firstRange(of: "://") else { throw refused("it has no scheme") }
        let scheme = text[..<separator.lowerBound].asciiLowercased
        guard Self.isScheme(scheme) else { throw refused("`\(scheme)` is not a scheme") }
        guard scheme != "ws", scheme != "wss" else {
            throw refused("an origin is that of the page: write `\(scheme == "ws" ? "http" : "https")://…`")
        }
        let authority = text[separator.upperBound...]
        guard !authority.contains(where: { "/?#".contains($0) }) else { throw refused("leave the path out") }
        guard !authority.contains("@") else { throw refused("leave the user out") }
        let isWildcard = authority.hasPrefix("*.")
        let host: String
        let port: UInt16?
        do {
            (host, port) = try Address.split(String(isWildcard ? authority.dropFirst(2) : authority), for: .connect)
        } catch {
            throw refused("`\(authority)` is not a host")
        }
        guard !isWildcard || IPAddress(host) == nil else { throw refused("`*.` must stand before a domain") }
        self.init(
            scheme: scheme, host: isWildcard ? .subdomains(of: host) : .exact(host),
            port: port ?? defaultPort(ofScheme: scheme))
    }

    /// RFC 3986 section 3.1, in lower case.
    private static func isScheme(_ scheme: String) -> Bool {
        scheme.utf8.first?.isLetter == true
            && scheme.utf8.allSatisfy { $0.isLetter || $0.isDigit || "+-.".utf8.contains($0) }
    }

    /// As it is written in a file, without a default port.
    public var description: String {
        let host =
            switch self.host {
            case .exact(let name): HostName.bracketed(name)
            case .subdomains(let domain): "*.\(domain)"
            }
        return "\(self.scheme)://\(host)" + (self.port == defaultPort(ofScheme: self.scheme) ? "" : ":\(self.port)")
    }
}
