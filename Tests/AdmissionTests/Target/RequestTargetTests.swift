import HTTP1
import Testing

@testable import Admission

@Suite struct RequestTargetTests {
    private let host = Authority("example.com:8080")!

    private func read(_ target: String) -> RequestTarget? {
        try? RequestTarget(target, host: self.host)
    }

    @Test(arguments: [
        ("/", "/", nil as String?, "/"), ("/chat?a?b", "/chat", "a?b", "/chat?a?b"), ("/a?", "/a", "", "/a?"),
        ("/%7echat/%41", "/~chat/A", nil, "/%7echat/%41"), ("/%c3%a9", "/%C3%A9", nil, "/%c3%a9"),
        (
            "/a%3ab%40%21%24%26%27%28%29%2b%2c%3d%22%3c%3E", "/a:b@!$&'()+,=\"<>", nil,
            "/a%3ab%40%21%24%26%27%28%29%2b%2c%3d%22%3c%3E"
        ),
        ("/a%3b%23%3f%25%20%7F", "/a%3B%23%3F%25%20%7F", nil, "/a%3b%23%3f%25%20%7F"),
        ("/*%2a", "/%2A%2A", nil, "/*%2a"),
        ("/a/b//c/", "/a/b//c/", nil, "/a/b//c/"), ("/...", "/...", nil, "/..."), ("/a;x/b", "/a;x/b", nil, "/a;x/b"),
        ("/a;..", "/a;..", nil, "/a;.."), ("/a.b/.c", "/a.b/.c", nil, "/a.b/.c"),
        ("/%252e%252e/", "/%252e%252e/", nil, "/%252e%252e/"),
        ("/a?/../%2F%00%", "/a", "/../%2F%00%", "/a?/../%2F%00%"),
        ("http://example.com:8080", "/", nil, "/"), ("WS://EXAMPLE.com.:8080?x", "/", "x", "/?x"),
        ("https://example.com:8080/chat?x", "/chat", "x", "/chat?x"),
    ])
    func `targets are normalised and kept`(_ target: String, _ path: String, _ query: String?, _ original: String) {
        let read = self.read(target)
        #expect(read?.path == path)
        #expect(read?.query == query)
        #expect(read?.original == original)
    }

    @Test func `an encoded slash is part of its segment`() throws {
        let target = try RequestTarget("/a%2fb/c%2F%2e%2e.d?x=%2f", host: self.host)
        #expect(target.path == "/a%2Fb/c%2F...d")
        #expect(target.hasEncodedSlash)
        #expect(target.original == "/a%2fb/c%2F%2e%2e.d?x=%2f")
        #expect(try !RequestTarget("/a?x=%2f", host: self.host).hasEncodedSlash)
        #expect(try !RequestTarget("/a%252f", host: self.host).hasEncodedSlash)
    }

    @Test(arguments: [
        "", "*", "chat", "example.com:8080", "//evil.example/", "//", "/\\evil.example", "/.", "/..", "/./a", "/a/../b",
        "/a/%2e%2E/b",
        "/a/.%2e",
        "/%2E", "/a/..;x/b", "/a/.;/", "/..;", "/..%3bx", "/a\\..\\b", "/..%5cb", "/a%5C%2e%2e", "/a%00", "/a%2f..%2fb",
        "/..%2Fb", "/a%2F%2e", "/a%2f.;x", "/a/..%2F", "/a%", "/a%4", "/a%zz",
        "/a#b", "ftp://example.com:8080/", "http://other:8080/", "http://example.com/", "http://u@example.com:8080/",
        "http:///a", "http://example.com:8080//a", "http://example.com:8080/..",
    ])
    func `an ambiguous target is refused`(_ target: String) {
        #expect(self.read(target) == nil)
    }
}
