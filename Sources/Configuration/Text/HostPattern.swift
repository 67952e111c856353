/// A host that a route answers to: a name, an IP literal, or `*.example.com` (one or more labels, not the apex).
/// Lower case, without port and without trailing dot; an IP literal as `IPAddress.description` writes it, without
/// brackets.
public enum HostPattern: Hashable, Sendable, CustomStringConvertible {
    /// This host alone.
    case exact(String)
    /// The domain after `*.`.
    case subdomains(of: String)

    /// As the file writes it: `example.com`, `*.example.com`.
    public var description: String {
        switch self {
        case .exact(let host): host
        case .subdomains(let domain): "*." + domain
        }
    }

    /// Reads a host name, an IP literal (with or without brackets), or `*.example.com`.
    ///
    /// - Throws: A `Mistake` for anything else.
    init(parsing text: String) throws(Mistake) {
        guard text != "*" else {
            throw .expected(
                "a host name, an IP address or `*.example.com`", not: text, hint: "leave `hosts` out for any host")
        }
        guard text.hasPrefix("*.") else {
            guard !text.contains("*") else {
                throw .expected(
                    "a host name, an IP address or `*.example.com`", not: text, hint: "`*.` may only stand at the start"
                )
            }
            self = .exact(try HostName.canonical(text))
            return
        }
        let domain = String(text.dropFirst(2))
        guard !domain.contains("*"), IPAddress(domain) == nil else {
            throw .expected(
                "a host name, an IP address or `*.example.com`", not: text, hint: "`*.` must stand before a domain")
        }
        self = .subdomains(of: try HostName.canonical(domain))
    }
}
