import Configuration
import Testing

@testable import Admission

@Suite struct FileNameTests {
    private func name(_ path: String, _ prefix: String = "/") throws -> String? {
        try FileName(NormalPath(path).text, below: prefix).map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    @Test(
        arguments: [
            ("/files/a.js", "/files/", "a.js"), ("/files/", "/files/", ""), ("/", "/", ""), ("/a/b/", "/", "a/b/"),
            ("/a%20b", "/", "a b"), ("/%61", "/", "a"), ("/a%2520", "/", "a%20"), ("/%C3%A9", "/", "é"),
            ("/a;b", "/", "a;b"),
            ("/a%3Bb%3Fc%23", "/", "a;b?c#"), ("/a*b", "/", "a*b"), ("/a%5Cb", "/", "a\\b"), ("/...", "/", nil),
            ("/a./b..c", "/", "a./b..c"), ("/%252e%252e/x", "/", "%2e%2e/x"),
        ] as [(String, String, String?)])
    func `a name is what the star matched, decoded once`(path: String, prefix: String, expected: String?) throws {
        #expect(try self.name(path, prefix) == expected)
    }

    @Test(arguments: [
        ("/.git/config", "/"), ("/a/.b", "/"), ("/a/.b/c", "/"), ("/%2Ehidden", "/"), ("/a/.well-known/b", "/"),
        ("/app/.well-known/b", "/app/"), ("/.well-known", "/"), ("/.well-known/.x", "/"), ("/.well-known2/x", "/"),
        ("/a//b", "/"), ("/a//", "/"), ("/files//", "/files/"),
    ]) func `hidden names and empty segments are nothing`(path: String, prefix: String) throws {
        #expect(try self.name(path, prefix) == nil)
    }

    @Test func `what is well known is not hidden at the root`() throws {
        #expect(try self.name("/.well-known/acme-challenge/x") == ".well-known/acme-challenge/x")
        #expect(try self.name("/.well-known/") == ".well-known/")
    }

    @Test func `an encoded slash or NUL that came so far is nothing`() {
        #expect(FileName("/a%2Fb", below: "/") == nil)
        #expect(FileName("/a%00b", below: "/") == nil)
        #expect(FileName("/a%2", below: "/") == nil)
        #expect(FileName("/other", below: "/app/") == nil)
    }

    @Test(arguments: [
        ("/", true, false), ("/a/", true, false), ("/a", false, false), ("/a.b/c", false, false), ("/c.d", false, true),
    ])
    func `a folder ends with a slash, and a file may have a dot`(
        path: String, isFolder: Bool, hasExtension: Bool
    ) throws {
        let name = try #require(FileName(path, below: "/"))
        #expect(name.isFolder == isFolder)
        #expect(name.hasExtension == hasExtension)
        #expect(name.index == name.bytes + Array("index.html".utf8))
    }

    @Test(arguments: [
        ("a.html", "text/html; charset=utf-8"), ("b/a.JS", "text/javascript; charset=utf-8"),
        ("a.svg", "image/svg+xml"), ("a.tar.gz", "application/gzip"), ("a", "application/octet-stream"),
        ("a.html/b", "application/octet-stream"), ("a.", "application/octet-stream"),
        ("a.exe", "application/octet-stream"), ("a.wasm", "application/wasm"), ("a.woff2", "font/woff2"),
    ]) func `the end of a name says what it is`(name: String, type: String) {
        #expect(ContentType.of(Array(name.utf8)) == type)
    }
}
