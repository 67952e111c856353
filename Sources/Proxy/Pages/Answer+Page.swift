internal import Configuration
internal import HTTP1

extension Answer {
    /// A page that the gateway has built in. It loads nothing from anywhere, and its policy says so.
    static func page(_ page: RouteSettings.Page) -> Answer {
        let body: [UInt8] =
            switch page {
            case .console: PackageResources.console_html
            }
        let policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; connect-src ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        return Answer(
            status: 200,
            fields: [
                .init("Content-Type", "text/html; charset=utf-8"), .init("Cache-Control", "no-store"),
                .init("Content-Security-Policy", policy), .init("X-Content-Type-Options", "nosniff"),
                .init("Referrer-Policy", "no-referrer"),
            ], body: body)
    }
}
