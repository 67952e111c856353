internal import Configuration
internal import HTTP1

/// What an auth service is asked about a request: one GET, with what the client may have shown, and with what it asked for in the words of both
/// families of services (`X-Forwarded-Uri` of Traefik and Caddy, `X-Original-URL` of nginx).
enum AuthQuestion {
    /// The client's own fields that the service gets. What a browser would follow, and how to refuse a script, depends on `Accept` and
    /// `X-Requested-With`.
    private static let passed = ["Cookie", "Authorization", "Accept", "Origin", "User-Agent", "X-Requested-With"]

    /// - Parameters:
    ///   - url: that of the service.
    ///   - request: without its token. The scheme that it names is `http` or `https`, also for an upgrade.
    ///   - fields: those of the request as it came, with all that it shows.
    static func bytes(to url: WebURL, about request: CheckedRequest, _ fields: HTTPFields) -> [UInt8] {
        var head = HeadWriter(request: "GET", url.target, capacity: 1024)
        head.append("Host", url.authority)
        request.forwarded.append(to: &head)
        head.append("X-Forwarded-Method", request.head.method)
        head.append("X-Forwarded-Uri", request.target.original)
        head.append("X-Original-Method", request.head.method)
        head.append("X-Original-URL", request.url)
        head.append(fields) { name in Self.passed.contains { name.equalsIgnoringCase($0.utf8.span) } }
        // The answer is the only one on its connection.
        head.append("Connection", "close")
        return head.finished()
    }
}
