import Testing

@testable import Admission

@Suite struct AuthorityTests {
    @Test(arguments: [
        ("example.com", "example.com", nil as UInt16?), ("EXAMPLE.com.", "example.com", nil),
        ("example.com.:8080", "example.com", 8080), ("127.0.0.1:1", "127.0.0.1", 1), ("[::1]", "::1", nil),
        ("[0:0::1]:65535", "::1", 65535), ("my_host-1~", "my_host-1~", nil), ("xn--bcher-kva", "xn--bcher-kva", nil),
    ])
    func `hosts are folded and ports read`(_ text: String, _ host: String, _ port: UInt16?) {
        let authority = Authority(text)
        #expect(authority?.host == host)
        #expect(authority?.port == port)
        #expect(authority?.text == text)
    }

    @Test(arguments: [
        ("localhost:", "localhost", "localhost"), ("EXAMPLE.com.:", "example.com", "EXAMPLE.com."),
        ("[::1]:", "::1", "[::1]"), ("127.0.0.1:", "127.0.0.1", "127.0.0.1"),
    ])
    func `an empty port is none`(_ text: String, _ host: String, _ written: String) {
        let authority = Authority(text)
        #expect(authority?.host == host)
        #expect(authority != nil && authority?.port == nil)
        #expect(authority?.text == written)
    }

    @Test(arguments: [
        "", ".", "a..b", ".a", ":", "a::", ":80", "a:0", "a:080", "a:65536", "a:+1", "a:8 ", "a b", "a,b", "u@a",
        "a%2e",
        "a/b", "a\\b", "é", "::1", "[::1", "[::1:", "[::1]::", "[127.0.0.1]", "[::1]x", "[::1%eth0]", "[]", "a]", "a#",
        "a?",
        String(repeating: "a", count: 300),
    ])
    func `text that is not a host is refused`(_ text: String) {
        #expect(Authority(text) == nil)
    }

    @Test func `a default port is the same as none`() throws {
        let bare = try #require(Authority("a"))
        let http = try #require(Authority("A.:80"))
        #expect(bare.isSame(as: http, defaultPort: 80))
        #expect(!bare.isSame(as: http, defaultPort: 443))
    }
}
