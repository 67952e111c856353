import Testing

@testable import HTTP1

@Suite struct BodyReaderTests {
    /// The outcome of a body.
    private struct Outcome: Equatable {
        var progress: BodyReader.Progress
        var body: String
    }

    /// Reads the body in every way. All must have the same outcome, which is returned.
    private func read(
        _ text: String, _ fields: HTTPFields, status: Int = 403, version: HTTPVersion = .http11,
        limit: Int = 64 << 10, thenEOF: Bool = false
    ) -> Outcome? {
        let head = ResponseHead(version: version, status: status, reason: "", fields: fields)
        let bytes = Array(text.utf8)
        let outcomes = ways(of: bytes).map { ends in
            var reader = BodyReader(head: head, limit: limit)
            var start = 0
            var progress = reader.received([UInt8]().span)
            for end in ends where end <= bytes.count && end >= start {
                progress = reader.received(bytes.span.extracting(start..<end))
                start = end
            }
            if thenEOF { progress = reader.receivedEOF() }
            return Outcome(progress: progress, body: String(decoding: reader.body, as: UTF8.self))
        }
        return outcomes.allSatisfy { $0 == outcomes[0] } ? outcomes[0] : nil
    }

    @Test func `a length ends the body`() {
        #expect(read("hello", ["Content-Length": "5"]) == Outcome(progress: .complete, body: "hello"))
        #expect(read("hello!", ["Content-Length": "5"]) == Outcome(progress: .complete, body: "hello"))
        #expect(read("hell", ["Content-Length": "5"]) == Outcome(progress: .incomplete, body: "hell"))
        #expect(read("", ["Content-Length": "0"]) == Outcome(progress: .complete, body: ""))
    }

    @Test func `repeated equal lengths count as one`() {
        let fields: HTTPFields = ["Content-Length": "2", "content-length": "2"]
        #expect(read("ok", fields) == Outcome(progress: .complete, body: "ok"))
    }

    @Test func `without a length the connection ends the body`() {
        #expect(read("hello", [:]) == Outcome(progress: .incomplete, body: "hello"))
        #expect(read("hello", [:], thenEOF: true) == Outcome(progress: .complete, body: "hello"))
    }

    @Test func `an early end of the connection is an error`() {
        let expected = Outcome(progress: .invalid(.endedEarly), body: "he")
        #expect(read("he", ["Content-Length": "5"], thenEOF: true) == expected)
        #expect(read("5\r\nhe", ["Transfer-Encoding": "chunked"], thenEOF: true) == expected)
    }

    @Test(arguments: [100, 204, 304])
    func `some statuses have no body`(_ status: Int) {
        #expect(read("x", [:], status: status) == Outcome(progress: .complete, body: ""))
    }

    @Test func `chunks are joined`() {
        let text = "5;a=\"b\"\r\nhello\r\n0001\r\n,\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nrest"
        let expected = Outcome(progress: .complete, body: "hello,0123456789")
        #expect(read(text, ["Transfer-Encoding": "Chunked"]) == expected)
    }

    @Test func `a broken body is an error`() {
        #expect(read("1\r\nx\r\nZ", ["Transfer-Encoding": "chunked"])?.progress == .invalid(.badChunkSize))
    }

    @Test func `at the limit the body is cut and complete`() {
        let expected = Outcome(progress: .complete, body: "hel")
        #expect(read("hello", ["Content-Length": "5"], limit: 3) == expected)
        #expect(read("hello", [:], limit: 3) == expected)
        #expect(read("5\r\nhello\r\n", ["Transfer-Encoding": "chunked"], limit: 3) == expected)
        #expect(read("hello", ["Content-Length": "5"], limit: 5) == Outcome(progress: .complete, body: "hello"))
    }

    @Test func `a bad framing is an error`() {
        let both = read("", ["Content-Length": "1", "Transfer-Encoding": "chunked"])
        #expect(both?.progress == .invalid(.lengthAndCoding))
    }
}
