import Configuration
import Testing

@testable import Admission

@Suite struct OriginCheckTests {
    private func passes(
        _ origin: String?, _ policy: OriginPolicy, host: String = "example.com", isSecure: Bool = true,
        required: Bool = false
    ) -> Bool {
        let settings = route(.exact("/"), .backend("x")) {
            $0.origins = policy
            $0.requireOrigin = required
        }
        return OriginCheck.passes(
            settings, origin: origin, host: Authority(host)!, schemes: [isSecure ? "https" : "http"])
    }

    @Test func `same-origin compares scheme, host and port`() {
        #expect(self.passes("https://example.com", .sameOrigin))
        #expect(self.passes("https://EXAMPLE.com:443", .sameOrigin, host: "example.COM."))
        #expect(self.passes("https://example.com", .sameOrigin, host: "example.com:443"))
        #expect(self.passes("http://example.com:8080", .sameOrigin, host: "example.com:8080", isSecure: false))
        #expect(self.passes("http://[::1]:8080", .sameOrigin, host: "[0:0::1]:8080", isSecure: false))
        #expect(!self.passes("http://example.com", .sameOrigin))
        #expect(!self.passes("https://example.com", .sameOrigin, isSecure: false))
        #expect(!self.passes("https://example.com:8443", .sameOrigin))
        #expect(!self.passes("https://example.com", .sameOrigin, host: "example.com:8443"))
        #expect(!self.passes("https://example.com.evil.example", .sameOrigin))
        #expect(!self.passes("https://a.example.com", .sameOrigin))
    }

    @Test func `any lets every Origin in`() {
        for origin in ["null", "https://evil.example", "file://", "not one"] { #expect(self.passes(origin, .any)) }
    }

    @Test(arguments: [
        "null", "", "https://", "https://example.com/", "https://example.com/x", "https://example.com?x",
        "//example.com",
        "https:example.com", "https://u@example.com", "https://example.com https://example.com",
        "https://example.com, https://example.com", "https://example.com#", "1https://example.com", "://example.com",
        "https://example.com:", "https://exam\u{E9}ple.com",
    ])
    func `text that is not an Origin passes only under any`(_ origin: String) {
        #expect(!self.passes(origin, .sameOrigin))
        #expect(!self.passes(origin, .list([OriginPattern(scheme: "https", host: .exact("example.com"), port: 443)])))
    }

    @Test func `a list holds exact origins and domains`() {
        let list = OriginPolicy.list([
            OriginPattern(scheme: "https", host: .subdomains(of: "example.com"), port: 443),
            OriginPattern(scheme: "http", host: .exact("localhost"), port: 3000),
            OriginPattern(scheme: "app", host: .exact("obsidian.md"), port: 0),
        ])
        #expect(self.passes("https://a.example.com", list))
        #expect(self.passes("https://A.b.example.com:443", list))
        #expect(self.passes("http://localhost:3000", list))
        #expect(self.passes("app://obsidian.md", list))
        #expect(!self.passes("https://example.com", list))
        #expect(!self.passes("https://.example.com", list))
        #expect(!self.passes("https://evilexample.com", list))
        #expect(!self.passes("http://a.example.com", list))
        #expect(!self.passes("https://a.example.com:444", list))
        #expect(!self.passes("https://a.example.com.evil.example", list))
        #expect(!self.passes("http://localhost", list))
    }

    @Test func `a request without an Origin is not a browser's`() {
        #expect(self.passes(nil, .sameOrigin))
        #expect(self.passes(nil, .list([])))
        #expect(!self.passes(nil, .any, required: true))
    }

    @Test func `a peer's text is shown as visible ASCII and cut short`() {
        #expect(shown("a\u{7}b\u{E9}") == "a?b??")
        #expect(shown("") == "(empty)")
        #expect(shown(String(repeating: "a", count: 500)) == String(repeating: "a", count: 200) + "…")
        #expect(shown(String(repeating: "a", count: 200)) == String(repeating: "a", count: 200))
    }
}
