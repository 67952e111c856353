import Configuration
import Testing

struct TokenFileTests {
    /// Tokens and addresses, as text, and the lines that are skipped.
    private static func read(_ text: String) -> (entries: [String], skipped: [Int]) {
        let file = TokenFile(Array(text.utf8))
        return (
            file.entries.map { "\($0.line) \(String(decoding: $0.token, as: UTF8.self)) = \($0.address)" },
            file.flaws.map(\.line)
        )
    }

    @Test(arguments: [
        ("a: localhost:5900", "a = localhost:5900"), ("a: 127.0.0.1:1", "a = 127.0.0.1:1"),
        ("a: [::1]:5900", "a = [::1]:5900"), ("a: [FE80::0:1]:5900", "a = [fe80::1]:5900"),
        ("a: unix:/run/a.sock", "a = unix:/run/a.sock"), ("a: unix:@a", "a = unix:@a"),
        ("a: unix:/run/with space:1", "a = unix:/run/with space:1"), ("a: Desk.Example.:5900", "a = desk.example:5900"),
        ("a:\tdesk:5900", "a = desk:5900"), ("  a  :  desk:5900  ", "a = desk:5900"),
        ("a: desk:5900\r", "a = desk:5900"),
        ("a: desk:5900 # Ann's", "a = desk:5900"), ("a: desk:5900\t#", "a = desk:5900"),
        ("a#b: desk:1", "a#b = desk:1"),
        ("a: unix:/run/a#b", "a = unix:/run/a#b"), ("a b: desk:1", "a b = desk:1"), ("a:b:c: desk:1", "a:b:c = desk:1"),
        ("#a: desk:1", nil), ("   # a: desk:1", nil), ("", nil), (" \t\r", nil), ("é: desk:1", "é = desk:1"),
        ("2f:aa:01: 10.0.0.1:65535", "2f:aa:01 = 10.0.0.1:65535"),
    ])
    func `a line has a token and its target, or a comment`(line: String, expected: String?) {
        let (entries, skipped) = Self.read(line)
        #expect(entries == [expected].compactMap { $0 }.map { "1 \($0)" })
        #expect(skipped == [])
    }

    @Test(arguments: [
        "a", "a:desk:5900", "a desk:5900", "a:", "a: ", ": desk:5900", " : desk:5900", "a: desk", "a: desk:0",
        "a: desk:65536", "a: desk:+1", "a: :5900", "a: 5900", "a: ::1:5900", "a: tls://desk:5900", "a: tcp://desk:5900",
        "a: desk:5900/x", "a: desk:5900, spare:5900", "a: desk: 5900", "a: b: desk:5900", "a: unix:", "a: unix:@",
        "a: *:5900", "a: # desk:5900", "a: desk :5900", "a: Unix:5900", "a: unix.:5900",
    ])
    func `another line is skipped, and not shown`(line: String) {
        let file = TokenFile(Array("first: one:1\n\(line)\nlast: two:2".utf8))
        #expect(file.entries.map(\.line) == [1, 3])
        #expect(file.flaws.map(\.line) == [2])
        let words = ["desk", "5900", "65536", "spare"]
        #expect(!file.flaws.contains { flaw in words.contains(where: flaw.problem.contains) })
    }

    @Test func `bytes that are not text are a token, and no target`() {
        let entry = TokenFile([0xFF, 0xFE] + Array(": desk:1".utf8)).entries.first
        #expect(entry?.token == [0xFF, 0xFE])
        #expect(TokenFile(Array("a: unix:/".utf8) + [0xFF]).flaws.map(\.line) == [1])
        #expect(TokenFile(Array("a: unix:/a".utf8) + [0] + Array("b".utf8)).flaws.map(\.line) == [1])
    }

    @Test func `lines end with LF or CRLF, and a byte order mark is no part of the first`() {
        let expected = ["1 a = one:1", "3 b = two:2"]
        for text in ["a: one:1\n\nb: two:2", "a: one:1\r\n\r\nb: two:2\r\n", "\u{FEFF}a: one:1\n#\nb: two:2\n"] {
            let (entries, skipped) = Self.read(text)
            #expect(entries == expected)
            #expect(skipped == [])
        }
        #expect(Self.read("").entries == [])
        #expect(Self.read("\u{FEFF}").entries == [])
        #expect(Self.read("a: one:1\n\u{FEFF}b: two:2").entries == ["1 a = one:1", "2 \u{FEFF}b = two:2"])
    }

    @Test func `both of two lines for one token are read`() {
        #expect(Self.read("a: one:1\na: two:2").entries == ["1 a = one:1", "2 a = two:2"])
    }

    @Test func `a line may be long, and its target not`() {
        let long = String(repeating: "x", count: 1 << 20)
        #expect(TokenFile(Array("\(long): one:1".utf8)).entries.first?.token.count == 1 << 20)
        let (entries, skipped) = Self.read("a: \(long):1\nb: unix:/\(long)\nc\(long)\nd: one:1  # \(long)")
        #expect(entries == ["4 d = one:1"])
        #expect(skipped == [1, 2, 3])
    }

    @Test func `ten thousand tokens are read in their order`() {
        let text = (1...10_000).map { "token-\($0): 10.0.\($0 / 256).\($0 % 256):5900\n" }.joined()
        let file = TokenFile(Array(text.utf8))
        #expect(file.entries.map(\.line) == Array(1...10_000))
        #expect(file.entries.last?.address == .tcp(host: "10.0.39.16", port: 5900))
        #expect(file.flaws.isEmpty)
    }
}
