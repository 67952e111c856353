package import Configuration
internal import HTTP1

/// Whether a route lets an Origin open a session: what keeps other sites' pages from using a visitor's cookies
/// (RFC 6455 section 10.2).
package enum OriginCheck {
    /// Evaluates `origins` and `require-origin` of a route.
    ///
    /// - Parameters:
    ///   - origin: the one Origin field; a request without is not a browser's.
    ///   - host: what the client asked for.
    ///   - schemes: by which it may be said to have come (`ForwardedHeaders.schemes`).
    package static func passes(_ route: RouteSettings, origin: String?, host: Authority, schemes: [String]) -> Bool {
        guard let origin else { return !route.requireOrigin }
        switch route.origins {
        case .any: return true
        case .sameOrigin:
            guard let origin = WebOrigin(origin) else { return false }
            return schemes.contains(origin.scheme) && origin.host == host.host
                && origin.port == host.port ?? defaultPort(ofScheme: origin.scheme)
        case .list(let patterns):
            guard let origin = WebOrigin(origin) else { return false }
            return patterns.contains { origin.matches($0) }
        }
    }
}

/// A value of a peer's, fit to stand in an answer or a sentence of the log: visible ASCII and not too long.
func shown(_ value: String) -> String {
    let most = 200
    let text = value.utf8.prefix(most).map { $0.isVisible ? $0 : UInt8(ascii: "?") }
    guard !text.isEmpty else { return "(empty)" }
    return String(decoding: text, as: UTF8.self) + (value.utf8.count > most ? "…" : "")
}
