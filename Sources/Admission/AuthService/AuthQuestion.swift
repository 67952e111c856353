public import Configuration
internal import HTTP1

/// What an auth service is asked about a request: one GET, with what the client may have shown, and with what it asked for in the words of both
/// families of services (`X-Forwarded-Uri` of Traefik and Caddy, `X-Original-URL` of nginx).
public struct AuthQuestion: Sendable {
    /// The client's own fields that the service gets. What a browser would follow, and how to refuse a script, depends on `Accept` and
    /// `X-Requested-With`.
    private static let passed = ["Cookie", "Authorization", "Accept", "Origin", "User-Agent", "X-Requested-With"]
    private static let firstLine = "GET / HTTP/1.1\r\n"

    /// The head from its third line on. There are credentials in it.
    private let rest: [UInt8]

    /// - Parameters:
    ///   - request: without its token. The scheme that it names is `http` or `https`, also for an upgrade.
    ///   - fields: those of the request as it came, with all that it shows.
    init(about request: CheckedRequest, _ fields: HTTPFields) {
        var head = HeadWriter(request: "GET", "/", capacity: 1024)
        request.forwarded.append(to: &head)
        head.append("X-Forwarded-Method", request.head.method)
        head.append("X-Forwarded-Uri", request.target.original)
        head.append("X-Original-Method", request.head.method)
        head.append("X-Original-URL", request.url)
        head.append(fields) { name in Self.passed.contains { name.equalsIgnoringCase($0.utf8.span) } }
        // The answer is the only one on its connection.
        head.append("Connection", "close")
        self.rest = Array(head.finished().dropFirst(Self.firstLine.utf8.count))
    }

    /// As it goes to a service.
    public func bytes(to url: WebURL) -> [UInt8] {
        Array("GET \(url.target) HTTP/1.1\r\nHost: \(url.authority)\r\n".utf8) + self.rest
    }
}
