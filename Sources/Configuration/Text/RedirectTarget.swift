internal import HTTP1

/// `redirect.to` of a route: where clients are sent.
public enum RedirectTarget: Equatable, Sendable {
    /// The same URL with `https`, without its port.
    case https
    /// This URL, as it is written.
    case url(String)
    /// This URL, which has no path, followed by path and query of the request.
    case origin(String)

    /// Reads `https`, `https://new.example.com` or `https://new.example.com/path?query`.
    ///
    /// - Throws: A `Mistake` for anything else.
    init(parsing text: String) throws(Mistake) {
        func refused(_ hint: String) -> Mistake {
            .expected("`https` or a URL such as `https://new.example.com`", not: text, hint: hint)
        }
        guard text != "https" else {
            self = .https
            return
        }
        guard let separator = text.firstRange(of: "://") else {
            throw refused(text == "http" ? "write a whole URL" : "it must start with `https://` or `http://`")
        }
        switch text[..<separator.lowerBound].asciiLowercased {
        case "https", "http": break
        case "wss": throw refused("write `https://`: clients follow no other redirect")
        case "ws": throw refused("write `http://`: clients follow no other redirect")
        default: throw refused("it must start with `https://` or `http://`")
        }
        let rest = text[separator.upperBound...]
        let authority = rest.prefix { !"/?#".contains($0) }
        guard !authority.isEmpty, !authority.hasPrefix(":") else { throw refused("it has no host") }
        guard !authority.contains("@") else { throw refused("leave the user out") }
        do {
            _ = try Address.split(String(authority), for: .connect)
        } catch {
            throw refused("`\(authority)` is not a host")
        }
        let tail = rest[authority.endIndex...]
        guard !tail.isEmpty else {
            self = .origin(text)
            return
        }
        guard tail.hasPrefix("/") else { throw refused("write `/` before the query") }
        if let flaw = NormalPath.flaw(ofSent: tail.prefix { $0 != "?" && $0 != "#" }) { throw refused(flaw.hint) }
        guard tail.utf8.allSatisfy(\.isVisible) else { throw refused(NormalPath.Flaw.character.hint) }
        self = .url(text)
    }
}
