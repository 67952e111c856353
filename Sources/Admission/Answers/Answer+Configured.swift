internal import Configuration
internal import HTTP1

extension Answer {
    /// `answer:` of a route.
    init(_ settings: AnswerSettings) {
        let isText = settings.type.asciiLowercased.hasPrefix("text/")
        // The text comes from a file in UTF-8.
        let hasCharset = !isText || settings.type.asciiLowercased.contains("charset=")
        self.init(
            status: settings.status, reason: reasonPhrase(ofStatus: settings.status),
            fields: [
                "Content-Type": settings.type + (hasCharset ? "" : "; charset=utf-8"), "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
            ], body: Array(settings.text.utf8))
    }

    /// `redirect:` of a route.
    ///
    /// - Parameters:
    ///   - host: the one that the client asked for.
    ///   - target: of the request. Its path and query go on as they came.
    static func redirect(_ settings: RedirectSettings, host: Authority, target: RequestTarget) -> Answer {
        let location =
            switch settings.target {
            case .https: "https://\(host.textWithoutPort)\(target.original)"
            case .url(let url): url
            case .origin(let origin): origin + target.original
            }
        let status = settings.status.code
        return Answer(
            status: status, reason: reasonPhrase(ofStatus: status),
            fields: [
                "Location": location, "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff",
            ], body: Array("This is at \(location)\n".utf8))
    }
}
