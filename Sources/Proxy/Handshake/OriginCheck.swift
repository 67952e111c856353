internal import Configuration
internal import HTTP1

/// Whether a page of this Origin may open a session here: the defence against cross-site WebSocket hijacking
/// (RFC 6455 section 10.2), which a browser leaves to the server.
enum OriginCheck {
    enum Verdict: Equatable {
        case pass
        /// Why not, and the cure.
        case refused(String)
    }

    /// - Parameters:
    ///   - origin: the Origin field; `nil` where there is none, as from a client that is no browser.
    ///   - host: the Host asked for.
    ///   - isSecure: whether the client speaks TLS, here or to a proxy that is trusted.
    static func verdict(on origin: String?, by route: RouteSettings, host: Authority, isSecure: Bool) -> Verdict {
        guard let origin else {
            return route.requireOrigin ? .refused("no Origin, and the route has require-origin: true") : .pass
        }
        switch route.origins {
        case .any: return .pass
        case .sameOrigin:
            let own = WebOrigin(scheme: isSecure ? "https" : "http", authority: host)
            if WebOrigin(origin) == own { return .pass }
            return .refused("Origin \(origin) is not \(own), and the route has origins: same-origin")
        case .list(let patterns):
            guard let parsed = WebOrigin(origin) else { return .refused("Origin \(origin) names no site") }
            let isListed = patterns.contains {
                $0.scheme == parsed.scheme && $0.port == parsed.port && $0.host.matches(parsed.host)
            }
            return isListed ? .pass : .refused("Origin \(origin) is not in the route's list of origins")
        }
    }
}

/// A web origin (RFC 6454 section 4): scheme, host and port, with the scheme's port where none is written.
struct WebOrigin: Hashable, CustomStringConvertible {
    let scheme: String
    let host: String
    let port: UInt16

    init(scheme: String, authority: Authority) {
        self.scheme = scheme
        self.host = authority.host
        self.port = authority.port ?? Self.defaultPort(scheme)
    }

    /// The serialised form (RFC 6454 section 6.2). `null`, and anything with a path, is none.
    init?(_ text: String) {
        guard let separator = text.firstRange(of: "://") else { return nil }
        let scheme = text[..<separator.lowerBound].asciiLowercased
        guard !scheme.isEmpty, let authority = Authority(text[separator.upperBound...]) else { return nil }
        self.init(scheme: scheme, authority: authority)
    }

    private static func defaultPort(_ scheme: String) -> UInt16 {
        switch scheme {
        case "https", "wss": 443
        case "http", "ws": 80
        default: 0
        }
    }

    var description: String {
        let host = self.host.contains(":") ? "[\(self.host)]" : self.host
        return "\(self.scheme)://\(host)" + (self.port == Self.defaultPort(self.scheme) ? "" : ":\(self.port)")
    }
}
