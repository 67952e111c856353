package import Configuration
internal import HTTP1

/// Whether a route lets an Origin open a session: what keeps other sites' pages from using a visitor's cookies
/// (RFC 6455 section 10.2).
package enum OriginCheck: Equatable, Sendable {
    case pass
    /// One sentence for the answer, without the cure.
    case refused(Wording)

    /// Evaluates `origins` and `require-origin` of a route.
    ///
    /// - Parameters:
    ///   - origin: the one Origin field; a request without is not a browser's.
    ///   - host: what the client asked for.
    ///   - isSecure: whether the client came by TLS, here or at a trusted proxy.
    package static func evaluate(_ route: RouteSettings, origin: String?, host: Authority, isSecure: Bool) -> Self {
        guard let origin else {
            return route.requireOrigin ? .refused("This route demands an Origin.") : .pass
        }
        let refusal = Self.refused("The Origin \(peer: origin) is not allowed here.")
        switch route.origins {
        case .any: return .pass
        case .sameOrigin:
            guard let origin = WebOrigin(origin) else { return refusal }
            let scheme = isSecure ? "https" : "http"
            let isSame =
                origin.scheme == scheme && origin.host == host.host
                && origin.port == host.port ?? defaultPort(ofScheme: scheme)
            return isSame ? .pass : refusal
        case .list(let patterns):
            guard let origin = WebOrigin(origin) else { return refusal }
            return patterns.contains { origin.matches($0) } ? .pass : refusal
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
