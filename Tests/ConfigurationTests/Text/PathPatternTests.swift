import Configuration
import Testing

struct PathPatternTests {
    /// What a route compares with, and what a request is compared as, come from one rule.
    @Test(arguments: [
        "/", "/a", "/a/", "/a//b", "/%7Euser", "/a..b/...", "/a;x", "/a%3bx", "/..a", "/a/..;x", "/a/..%3Bx", "/a/.",
        "/%2e%2E", "/a/..;",
        "//a", "/a%", "/%zz", "/%00", "a", "/ü", "/a b", "/a%5C..", "/%2E;x/b",
    ])
    func `a route takes exactly the paths that have a normal form`(text: String) {
        let normal = try? NormalPath(text)
        #expect((try? PathPattern(parsing: text)) == normal.map { .exact($0.text) })
        let below = text.hasSuffix("/") ? text + "*" : text + "/*"
        #expect(
            (try? PathPattern(parsing: below)) == (try? NormalPath(String(below.dropLast()))).map { .subtree($0.text) })
    }

    @Test func `an encoded slash needs a route that keeps it`() throws {
        #expect(throws: Mistake.self) { try PathPattern(parsing: "/a%2fb") }
        #expect(try PathPattern(parsing: "/a%2fb", encodedSlashes: .keep) == .exact("/a%2Fb"))
    }
}
