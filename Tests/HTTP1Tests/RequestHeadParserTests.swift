import Testing

@testable import HTTP1

@Suite struct RequestHeadParserTests {
    private static let upgrade =
        "GET /chat?room=1 HTTP/1.1\r\nHost: example.com\r\n"
        + "Upgrade:websocket\r\nCookie: \t a=b; c=\"d\" \t\r\nEmpty:\r\n\r\n"

    @Test func `a whole head is read and what follows is left`() {
        let expected = RequestHead(
            method: "GET", target: "/chat?room=1",
            fields: ["Host": "example.com", "Upgrade": "websocket", "Cookie": "a=b; c=\"d\"", "Empty": ""])
        #expect(parseRequest(Self.upgrade) == .head(expected, length: Self.upgrade.utf8.count))
        #expect(parseRequest(Self.upgrade + "\u{1}\u{2}") == .head(expected, length: Self.upgrade.utf8.count))
    }

    @Test func `every prefix of a head is incomplete`() {
        let bytes = Array(Self.upgrade.utf8)
        for end in 0..<bytes.count {
            var parser = RequestHeadParser()
            #expect(parser.parse(bytes.span.extracting(first: end)) == .incomplete)
        }
    }

    @Test func `a head without fields is a head`() {
        #expect(parseRequest("GET / HTTP/1.1\r\n\r\n") == .head(RequestHead(method: "GET", target: "/"), length: 18))
    }

    @Test(arguments: [
        ("\u{16}", "this is TLS, and the listener speaks HTTP"),
        ("\n", "a line ends in LF without CR"),
        ("\r", "an empty line before the request"),
        (" ", "byte 0x20 in the method"),
        ("G\0", "a NUL in the method"),
        ("GET\t", "byte 0x09 in the method"),
        ("GET\r", "a line ends within the method"),
        ("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG", "the method is too long"),
        ("GET  ", "byte 0x20 in the request target"),
        ("GET /\t", "byte 0x09 in the request target"),
        ("GET /\n", "a line ends in LF without CR"),
        ("GET /é", "byte 0xC3 in the request target"),
        ("GET /a#", "a fragment in the request target"),
        ("GET / X", "byte 0x58 in the version of the request line"),
        ("GET / h", "byte 0x68 in the version of the request line"),
        ("GET / HTTP/1.1 ", "byte 0x20 in the request line"),
        ("GET / HTTP/1.1\n", "a line ends in LF without CR"),
        ("GET / HTTP/1.1\rX", "a CR without LF"),
        ("GET / HTTP/1.1\r\n ", "a line starts with whitespace (folded field)"),
        ("GET / HTTP/1.1\r\nA: b\r\n\t", "a line starts with whitespace (folded field)"),
        ("GET / HTTP/1.1\r\n:", "a field without a name"),
        ("GET / HTTP/1.1\r\n\n", "a line ends in LF without CR"),
        ("GET / HTTP/1.1\r\nA ", "whitespace before the colon of a field"),
        ("GET / HTTP/1.1\r\nA\r", "a line ends within a field name"),
        ("GET / HTTP/1.1\r\nA(", "byte 0x28 in a field name"),
        ("GET / HTTP/1.1\r\n(", "byte 0x28 in a field name"),
        ("GET / HTTP/1.1\r\nA: b\n", "a line ends in LF without CR"),
        ("GET / HTTP/1.1\r\nA: b\0", "a NUL in a field value"),
        ("GET / HTTP/1.1\r\nA: \u{7F}", "byte 0x7F in a field value"),
        ("GET / HTTP/1.1\r\nA: b\rc", "a CR without LF"),
        ("GET / HTTP/1.1\r\nA: b\r\n\rc", "a CR without LF"),
    ])
    func `a malformed head is refused at the byte that shows it`(_ text: String, _ detail: String) {
        #expect(parseRequest(text) == .invalid(HeadError(.malformed, detail)))
        let before = Array(text.utf8.dropLast(text.unicodeScalars.last!.utf8.count))
        #expect(parseRequest(before) == .incomplete)
    }

    @Test(arguments: ["HTTP/1.0", "HTTP/2", "HTTP/1.2", "HTTP/0", "HTTP/3.1"])
    func `another version is reported as unsupported`(_ version: String) {
        let expected = HeadError(.unsupportedVersion, "the version is not HTTP/1.1")
        #expect(parseRequest("GET / \(version)\r\n\r\n") == .invalid(expected))
    }

    @Test func `HTTP/1.0 is accepted where that is asked for`() {
        func parse(_ text: String, piece: Int) -> HeadProgress<RequestHead> {
            var parser = RequestHeadParser(takesHTTP10: true)
            let bytes = Array(text.utf8)
            for end in stride(from: piece, to: bytes.count, by: piece) {
                let progress = parser.parse(bytes.span.extracting(first: end))
                if progress != .incomplete { return progress }
            }
            return parser.parse(bytes.span)
        }
        for piece in 1...20 {
            #expect(
                parse("OPTIONS / HTTP/1.0\r\n\r\n", piece: piece)
                    == .head(RequestHead(method: "OPTIONS", target: "/", version: .http10), length: 22))
            #expect(
                parse("GET / HTTP/1.1\r\n\r\n", piece: piece)
                    == .head(RequestHead(method: "GET", target: "/"), length: 18))
            for version in ["HTTP/0.0", "HTTP/1.2", "HTTP/2.0", "HTTP/1.00", "HTTP/0.9"] {
                guard case .invalid(let error) = parse("GET / \(version)\r\n\r\n", piece: piece) else {
                    Issue.record("\(version) is taken")
                    return
                }
                guard error.kind == .unsupportedVersion else { continue }
                #expect(error.detail == "the version is not HTTP/1.0 or HTTP/1.1")
            }
        }
    }

    @Test func `the HTTP/2 preface is an unsupported version`() {
        let expected = HeadError(.unsupportedVersion, "the version is not HTTP/1.1")
        #expect(parseRequest("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == .invalid(expected))
    }

    @Test func `the limit of bytes is inclusive`() {
        let text = "GET / HTTP/1.1\r\nA: bcd\r\n\r\n"
        let length = text.utf8.count
        guard case .head(_, length) = parseRequest(text, limits: HeadLimits(bytes: length)) else {
            Issue.record("a head of exactly the limit is refused")
            return
        }
        let expected = HeadError(.tooLarge, "more than \(length - 1) bytes")
        #expect(parseRequest(text, limits: HeadLimits(bytes: length - 1)) == .invalid(expected))
    }

    @Test func `the limit of fields is inclusive`() {
        let text = "GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\n\r\n"
        guard case .head = parseRequest(text, limits: HeadLimits(fields: 2)) else {
            Issue.record("two fields of two are refused")
            return
        }
        let expected = HeadError(.tooLarge, "more than 1 fields")
        #expect(parseRequest(text, limits: HeadLimits(fields: 1)) == .invalid(expected))
    }

    @Test func `an error is reported again`() {
        let bytes = Array("GET\0".utf8)
        var parser = RequestHeadParser()
        #expect(parser.parse(bytes.span) == .invalid(HeadError(.malformed, "a NUL in the method")))
        #expect(parser.parse(bytes.span) == .invalid(HeadError(.malformed, "a NUL in the method")))
    }

    @Test func `bytes above 127 in values pass unchanged`() {
        var bytes = Array("GET / HTTP/1.1\r\nA: ".utf8)
        bytes += [0xFF, 0x80, 0xC3, 0xA9]
        bytes += Array("\r\n\r\n".utf8)
        guard case .head(let head, bytes.count) = parseRequest(bytes) else {
            Issue.record("obs-text is refused")
            return
        }
        #expect(head.bytes == bytes)
    }
}
