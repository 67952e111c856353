internal import HTTP1
internal import TLS

/// The dashboard: one page that loads nothing, and follows the gateway by the API and the WebSockets of the admin address.
enum DashboardPage {
    /// The answer that has it.
    static let answer = AdminResponse(
        200, contentType: "text/html; charset=utf-8", body: body, fields: ["Content-Security-Policy": policy])

    /// The scripts, in the order in which they are one. Each uses what those before it define.
    private static let script = [
        PackageResources.format_js, PackageResources.elements_js, PackageResources.gateway_js,
        PackageResources.history_js, PackageResources.overview_js, PackageResources.closes_js,
        PackageResources.backends_js, PackageResources.slow_js, PackageResources.sessions_js,
        PackageResources.session_js, PackageResources.tail_js, PackageResources.why_js, PackageResources.operate_js,
        PackageResources.main_js,
    ].reduce(Array("'use strict';\n".utf8), +)

    private static let style = PackageResources.dashboard_css

    private static let body = page(
        PackageResources.dashboard_html, [("<style>", style), ("<script>", script)])

    /// What a browser may run and load for it (Content Security Policy Level 3): the script and the style that are in it, and answers of the
    /// admin address. With Trusted Types no text can become markup, so that what a client chose stays text.
    private static let policy = [
        "default-src 'none'", "script-src '\(hash(of: script))'", "style-src '\(hash(of: style))'",
        "img-src data:", "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
        "require-trusted-types-for 'script'", "trusted-types 'none'",
    ].joined(separator: "; ")

    /// Puts each part behind its tag.
    private static func page(_ page: [UInt8], _ parts: [(tag: String, text: [UInt8])]) -> [UInt8] {
        parts.reduce(page) { page, part in
            let tag = Array(part.tag.utf8)
            guard let start = page.indices.first(where: { page[$0...].starts(with: tag) }) else {
                preconditionFailure("the page has no \(part.tag)")
            }
            let place = start + tag.count
            return page[..<place] + part.text + page[place...]
        }
    }

    /// As a policy names a script (CSP3 section 2.3.1).
    private static func hash(of text: [UInt8]) -> String {
        "sha256-" + Base64.encoded(Digest.sha256(text).span)
    }
}

extension AdminRequest {
    /// Whether a browser asks, for a page to show.
    var wantsPage: Bool {
        self.fields.elements("Accept").contains { $0.lowercased().prefix { $0 != ";" } == "text/html" }
    }
}
