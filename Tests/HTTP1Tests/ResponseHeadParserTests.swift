import Testing

@testable import HTTP1

@Suite struct ResponseHeadParserTests {
    @Test func `a whole head is read and what follows is left`() {
        let text = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
        let expected = ResponseHead(status: 101, reason: "Switching Protocols", fields: ["Upgrade": "websocket"])
        #expect(parseResponse(text) == .head(expected, length: text.utf8.count))
        #expect(parseResponse(text + "\u{1}") == .head(expected, length: text.utf8.count))
        #expect(String(decoding: expected.bytes, as: UTF8.self) == text)
    }

    @Test func `the reason may be empty or missing`() {
        let expected = ResponseHead(status: 204, reason: "")
        #expect(parseResponse("HTTP/1.1 204 \r\n\r\n") == .head(expected, length: 17))
        #expect(parseResponse("HTTP/1.1 204\r\n\r\n") == .head(expected, length: 16))
    }

    @Test func `HTTP/1.0 is told apart`() {
        let expected = ResponseHead(version: .http10, status: 404, reason: "File not found")
        #expect(parseResponse("HTTP/1.0 404 File not found\r\n\r\n") == .head(expected, length: 31))
    }

    @Test(arguments: [
        ("+", "byte 0x2B in the version of the status line"),
        ("HTTP/x", "byte 0x78 in the version of the status line"),
        ("HTTP/1.x", "byte 0x78 in the version of the status line"),
        ("HTTP/1.10", "byte 0x30 in the version of the status line"),
        ("HTTP/1.1  ", "byte 0x20 in the status"),
        ("HTTP/1.1 0", "byte 0x30 in the status"),
        ("HTTP/1.1 20x", "byte 0x78 in the status"),
        ("HTTP/1.1 2000", "byte 0x30 in the status"),
        ("HTTP/1.1 200\n", "a line ends in LF without CR"),
        ("HTTP/1.1 200 OK\n", "a line ends in LF without CR"),
        ("HTTP/1.1 200 O\0", "a NUL in the reason phrase"),
        ("HTTP/1.1 200 OK\rX", "a CR without LF"),
        ("HTTP/1.1 200 OK\r\n\tX", "a line starts with whitespace (folded field)"),
        ("HTTP/1.1 200 OK\r\nA :", "whitespace before the colon of a field"),
    ])
    func `a malformed head is refused`(_ text: String, _ detail: String) {
        #expect(parseResponse(text) == .invalid(HeadError(.malformed, detail)))
    }

    @Test(arguments: ["HTTP/2", "HTTP/1.2"])
    func `another version is reported as unsupported`(_ version: String) {
        let expected = HeadError(.unsupportedVersion, "the version is not HTTP/1.1")
        #expect(parseResponse("\(version) 200 OK\r\n\r\n") == .invalid(expected))
    }

    @Test func `the limits hold`() {
        let text = "HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\n\r\n"
        let tooManyBytes = HeadError(.tooLarge, "more than 20 bytes")
        #expect(parseResponse(text, limits: HeadLimits(bytes: 20)) == .invalid(tooManyBytes))
        let tooManyFields = HeadError(.tooLarge, "more than 1 fields")
        #expect(parseResponse(text, limits: HeadLimits(fields: 1)) == .invalid(tooManyFields))
    }

    @Test func `an error is reported again`() {
        let bytes = Array("X".utf8)
        var parser = ResponseHeadParser()
        #expect(parser.parse(bytes.span) == parser.parse(bytes.span))
    }
}
