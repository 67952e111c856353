import Configuration
import System
import Testing

@testable import DataPlane

@Suite struct TokenTableTests {
    /// A file system of these files, of which those without text cannot be read.
    private static func lines(_ files: [(path: String, text: String?)], names: [String]? = ["b", "a"]) -> TokenLines {
        let contents = Dictionary(uniqueKeysWithValues: files.map { ($0.path, $0.text) })
        let access = FileReader.Access(
            read: { path throws(FileError) in
                guard let text = contents[path] ?? nil else { throw .system(SystemError("open", 13)) }
                return Array(text.utf8)
            }, stamp: { _ in nil }, names: { _ in names })
        return TokenLines(access.contents(of: "/t"))
    }

    @Test func `the first of two lines for a token counts, also across files`() {
        let lines = Self.lines([("/t/b", "one: host:1\ntwo: host:2\none: host:3"), ("/t/a", "two: host:4")])
        #expect(lines.address(for: "one") == .tcp(host: "host", port: 1))
        #expect(lines.address(for: "two") == .tcp(host: "host", port: 2))
        #expect(lines.address(for: "three") == nil)
        #expect(
            lines.flaws.map(\.description) == [
                "/t/b:3: the line has the token of /t/b:1, which counts",
                "/t/a:1: the line has the token of /t/b:2, which counts",
            ])
    }

    @Test func `a file that cannot be read takes no other along`() {
        let lines = Self.lines([("/t/b", nil), ("/t/a", "one: host:1\nbroken")])
        #expect(lines.address(for: "one") == .tcp(host: "host", port: 1))
        #expect(
            lines.flaws.map(\.description) == [
                "/t/b: it cannot be read: Permission denied",
                "/t/a:2: the line has no colon and space between a token and its target",
            ])
    }

    @Test func `a path that is no folder is a file`() {
        let lines = Self.lines([("/t", "one: host:1")], names: nil)
        #expect(lines.address(for: "one") == .tcp(host: "host", port: 1))
    }

    @Test func `tokens are compared byte by byte`() throws {
        let table = TokenTable(Self.lines([("/t", "\u{E9}: 127.0.0.1:1\na: 127.0.0.1:2")], names: nil))
        #expect(table.count == 2)
        #expect(table.endpoint(for: "\u{E9}")?.name == "127.0.0.1:1")
        #expect(table.endpoint(for: "a")?.name == "127.0.0.1:2")
        // The same character, in other bytes.
        for other in ["e\u{301}", "A", "a ", "", "127.0.0.1:1"] { #expect(table.endpoint(for: other) == nil) }
    }

    @Test func `endpoints are the same objects as before, and one for all of their tokens`() throws {
        let old = TokenTable(Self.lines([("/t", "a: 127.0.0.1:1\nb: 127.0.0.1:2")], names: nil))
        let text = "c: 127.0.0.1:3\nb: 127.0.0.1:1\na: 127.0.0.1:1"
        let new = TokenTable(Self.lines([("/t", text)], names: nil), replacing: old)
        #expect(new.count == 3)
        #expect(new.endpoints.map(\.name) == ["127.0.0.1:3", "127.0.0.1:1"])
        #expect(new.endpoint(for: "b") === old.endpoint(for: "a"))
        #expect(new.endpoint(for: "b") === new.endpoint(for: "a"))
    }

    @Test func `a backend that a reload keeps has its tokens at once`() throws {
        func backend(_ path: String, _ place: TargetTokenPlace, replacing previous: Backend? = nil) -> Backend {
            let kind = BackendSettings.Kind.tokens(.init(path: path, place: place), message: .binary)
            return Backend(index: 0, BackendSettings(name: "vnc", kind: kind), replacing: previous)
        }
        let old = backend("/t", .path)
        #expect(old.allEndpoints.isEmpty)
        old.tokens?.use(TokenTable(Self.lines([("/t", "a: 127.0.0.1:1")], names: nil)))
        #expect(old.allEndpoints.map(\.name) == ["127.0.0.1:1"])
        #expect(backend("/t", .query("token"), replacing: old).tokens === old.tokens)
        #expect(backend("/u", .path, replacing: old).tokens?.current == nil)
        #expect(throws: (any Error).self) {
            try backend("/u", .path).tokens?.endpoint(for: "a", routeIndex: 0)
        }
    }
}
