internal import Configuration

/// Whether a route lets an Origin open a session. This keeps other sites' pages from using a visitor's cookies
/// (RFC 6455 section 10.2).
enum OriginCheck {
    /// Evaluates `origins` and `require-origin` of a route.
    ///
    /// - Parameters:
    ///   - origin: the one Origin field; a request without one is not a browser's.
    ///   - host: the host that the client asked for.
    ///   - schemes: those that a page of the gateway's own may have (`ForwardedHeaders.schemes`).
    static func passes(_ route: RouteSettings, origin: String?, host: Authority, schemes: [String]) -> Bool {
        guard let origin else { return !route.requireOrigin }
        switch route.origins {
        case .any: return true
        case .sameOrigin:
            guard let origin = WebOrigin(origin) else { return false }
            return schemes.contains(origin.scheme) && origin.isAt(host)
        case .list(let patterns):
            guard let origin = WebOrigin(origin) else { return false }
            return patterns.contains { origin.matches($0) }
        }
    }
}
