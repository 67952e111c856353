internal import HTTP1

/// The URL of something that the gateway itself asks by HTTP: `https://login.example.com/keys`.
public struct WebURL: Hashable, Sendable, CustomStringConvertible {
    /// As it is written.
    public let description: String
    /// `https`.
    public let tls: Bool
    /// Host and port; 80 or 443 where no port is written.
    public let address: Address
    /// Host and port as they are written, for the Host field.
    public let authority: String
    /// Path and query; `/` where there is none.
    public let target: String

    /// Without the query, which may be secret: for logs.
    public var withoutQuery: String { String(self.description.prefix { $0 != "?" }) }

    /// - Throws: A `Mistake` for anything but an `http` or `https` URL without user and fragment.
    init(parsing text: String) throws(Mistake) {
        func refused(_ hint: String) -> Mistake {
            .expected("a URL such as `https://login.example.com/keys`", not: text, hint: hint)
        }
        guard let separator = text.firstRange(of: "://"), separator.lowerBound != text.startIndex else {
            throw refused("it must start with `https://` or `http://`")
        }
        let scheme = text[..<separator.lowerBound].asciiLowercased
        guard ["http", "https"].contains(scheme) else { throw refused("it must start with `https://` or `http://`") }
        let rest = text[separator.upperBound...]
        let authority = rest.prefix { !"/?#".contains($0) }
        guard !authority.isEmpty, !authority.hasPrefix(":") else { throw refused("it has no host") }
        guard !authority.contains("@") else { throw refused("leave the user out") }
        let tail = rest[authority.endIndex...]
        guard !tail.contains("#") else { throw refused("leave the fragment out") }
        guard tail.utf8.allSatisfy(\.isVisible) else { throw refused(NormalPath.Flaw.character.hint) }
        guard tail.isEmpty || tail.hasPrefix("/") else { throw refused("write `/` before the query") }
        let (host, port) = try Address.split(String(authority), for: .connect)
        self.description = text
        self.tls = scheme == "https"
        self.address = .tcp(host: host, port: port ?? defaultPort(ofScheme: scheme))
        self.authority = String(authority)
        self.target = tail.isEmpty ? "/" : String(tail)
    }
}
