import Testing

@testable import HTTP1

@Suite struct MessageBodyTests {
    // MARK: - Framing

    private static let bothFields: [(HTTPFields, Result<MessageBody.Framing, MessageBody.Failure>)] = [
        (["Content-Length": "5"], .success(.length(5))),
        (["Content-Length": "0"], .success(.length(0))),
        (["content-LENGTH": "005"], .success(.length(5))),
        (["Content-Length-X": "1", "Transfer-Encoding": "chunked"], .success(.chunked)),
        (["Transfer-Encoding": "CHUNKED"], .success(.chunked)),

        (["Content-Length": ""], .failure(.badLength)),
        (["Content-Length": "+1"], .failure(.badLength)),
        (["Content-Length": "-1"], .failure(.badLength)),
        (["Content-Length": "1_0"], .failure(.badLength)),
        (["Content-Length": "0x10"], .failure(.badLength)),
        (["Content-Length": "1Z"], .failure(.badLength)),
        (["Content-Length": "4 2"], .failure(.badLength)),
        (["Content-Length": "1, 1"], .failure(.badLength)),
        (["Content-Length": "\u{A0}1"], .failure(.badLength)),
        (["Content-Length": "9223372036854775808"], .failure(.badLength)),
        (["Content-Length": "1", "content-length": "2"], .failure(.severalLengths)),
        (["Content-Length": "", "content-length": "43"], .failure(.severalLengths)),

        (["Content-Length": "5", "Transfer-Encoding": "chunked"], .failure(.lengthAndCoding)),
        (["Content-Length": "5", "Transfer-Encoding": "identity"], .failure(.lengthAndCoding)),
        (["Content-Length": "5", "Transfer-Encoding": ",chunked"], .failure(.lengthAndCoding)),
        (["Content-Length": "5", "Transfer-Encoding": ""], .failure(.lengthAndCoding)),
        (["Transfer-Encoding": ""], .failure(.badCoding)),
        (["Transfer-Encoding": ",chunked"], .failure(.badCoding)),
        (["Transfer-Encoding": "chunked,"], .failure(.badCoding)),
        (["Transfer-Encoding": "chunked, chunked"], .failure(.badCoding)),
        (["Transfer-Encoding": "chunked", "transfer-encoding": "chunked"], .failure(.badCoding)),
        (["Transfer-Encoding": "gzip, chunked"], .failure(.unknownCoding)),
        (["Transfer-Encoding": "chunked, deflate"], .failure(.unknownCoding)),
        (["Transfer-Encoding": "chunked", "transfer-encoding": "identity"], .failure(.unknownCoding)),
        (["Transfer-Encoding": "chunkedchunked"], .failure(.unknownCoding)),
        (["Transfer-Encoding": "xchunked"], .failure(.unknownCoding)),
        (["Transfer-Encoding": "chunked;a=b"], .failure(.unknownCoding)),
        (["Transfer-Encoding": "\u{A0}chunked\u{A0}"], .failure(.unknownCoding)),
        (["Transfer-Encoding": "\u{FF}chunked\u{FF}"], .failure(.unknownCoding)),
        (["Transfer-Encoding": "pigeons"], .failure(.unknownCoding)),
    ]

    private func framing(
        _ body: () throws(MessageBody.Failure) -> MessageBody
    ) -> Result<
        MessageBody.Framing, MessageBody.Failure
    > {
        Result(catching: body).map(\.framing)
    }

    private func request(
        _ fields: HTTPFields, version: HTTPVersion = .http11
    ) -> Result<MessageBody.Framing, MessageBody.Failure> {
        let head = RequestHead(method: "POST", target: "/", version: version, fields: fields)
        return self.framing { () throws(MessageBody.Failure) in try MessageBody(ofRequest: head) }
    }

    private func response(
        _ fields: HTTPFields, version: HTTPVersion = .http11, status: Int = 200, to method: String = "GET"
    ) -> Result<MessageBody.Framing, MessageBody.Failure> {
        let head = ResponseHead(version: version, status: status, reason: "", fields: fields)
        return self.framing { () throws(MessageBody.Failure) in try MessageBody(ofResponse: head, to: method) }
    }

    @Test(arguments: Self.bothFields)
    func `one length or one coding frames a message`(
        _ fields: HTTPFields, _ expected: Result<MessageBody.Framing, MessageBody.Failure>
    ) {
        #expect(self.request(fields) == expected)
        #expect(self.response(fields) == expected)
    }

    @Test func `without a length a request has no body, and an answer goes on until the end`() {
        #expect(self.request([:]) == .success(.none))
        #expect(self.response([:]) == .success(.untilEnd))
    }

    @Test func `an answer may repeat its length, a request may not`() {
        let fields: HTTPFields = ["Content-Length": "2", "content-length": "2"]
        #expect(self.response(fields) == .success(.length(2)))
        #expect(self.request(fields) == .failure(.severalLengths))
    }

    @Test func `HTTP 1.0 has no codings`() {
        let fields: HTTPFields = ["Transfer-Encoding": "chunked"]
        #expect(self.request(fields, version: .http10) == .failure(.codingInHTTP10))
        #expect(self.response(fields, version: .http10) == .failure(.codingInHTTP10))
        #expect(self.request(["Content-Length": "5"], version: .http10) == .success(.length(5)))
    }

    @Test func `some answers have no body, whatever their length`() {
        for fields: HTTPFields in [[:], ["Content-Length": "5"], ["Transfer-Encoding": "chunked"]] {
            for status in [100, 103, 204, 304] { #expect(self.response(fields, status: status) == .success(.none)) }
            #expect(self.response(fields, to: "HEAD") == .success(.none))
        }
        #expect(self.response(["Content-Length": "1Z"], to: "HEAD") == .failure(.badLength))
    }

    // MARK: - Bodies

    /// What a body is made of.
    private struct Outcome: Equatable {
        /// `needsMore`, `end` or `invalid`.
        var last: MessageBody.Step
        var data = ""
        /// The sizes of the chunks that began, and how many of them are whole.
        var chunks: [Int] = []
        var whole = 0
        /// How many bytes were read.
        var length = 0
    }

    private func read(
        _ framing: MessageBody.Framing, _ bytes: [UInt8], _ ends: [Int], thenEOF: Bool = false
    ) -> Outcome {
        var body = MessageBody(framing)
        var outcome = Outcome(last: .needsMore)
        for end in ends where outcome.last == .needsMore && end <= bytes.count {
            let piece = bytes.span.extracting(first: end)
            repeat {
                outcome.last = body.next(in: piece, from: &outcome.length)
                switch outcome.last {
                case .chunkBegins(let size): outcome.chunks.append(size)
                case .data(let range):
                    #expect(!range.isEmpty && range.upperBound == outcome.length)
                    outcome.data += String(decoding: bytes[range], as: UTF8.self)
                case .chunkEnds: outcome.whole += 1
                case .needsMore: #expect(outcome.length == end)
                case .end, .invalid: break
                }
            } while !outcome.last.isLast
        }
        if thenEOF, outcome.last == .needsMore { outcome.last = body.receivedEOF() }
        if outcome.last != .needsMore {
            var index = outcome.length
            let again = body.next(in: bytes.span, from: &index)
            #expect(again == outcome.last && index == outcome.length && body.receivedEOF() == outcome.last)
        }
        return outcome
    }

    /// Reads it in every way. What is read must not depend on that; of a broken body only how much data came before may.
    private func read(_ framing: MessageBody.Framing, _ text: String, thenEOF: Bool = false) -> Outcome {
        let bytes = Array(text.utf8)
        let whole = self.read(framing, bytes, [bytes.count], thenEOF: thenEOF)
        for ends in ways(of: bytes) {
            var outcome = self.read(framing, bytes, ends, thenEOF: thenEOF)
            if case .invalid = whole.last {
                #expect(outcome.data.hasPrefix(whole.data) && outcome.whole == whole.whole)
                outcome.data = whole.data
                outcome.length = whole.length
            }
            #expect(outcome == whole, "cut at \(ends)")
        }
        return whole
    }

    @Test func `a length ends a body`() {
        let hello = Outcome(last: .end(trailers: [:]), data: "hello", length: 5)
        #expect(self.read(.length(5), "hello") == hello)
        #expect(self.read(.length(5), "helloGET /") == hello)
        #expect(self.read(.length(5), "hell") == Outcome(last: .needsMore, data: "hell", length: 4))
        #expect(self.read(.length(0), "GET /") == Outcome(last: .end(trailers: [:])))
        #expect(self.read(.none, "GET /") == Outcome(last: .end(trailers: [:])))
    }

    @Test func `the end of the connection ends a body without a length, and breaks others`() {
        #expect(self.read(.untilEnd, "hello").last == .needsMore)
        #expect(
            self.read(.untilEnd, "hello", thenEOF: true)
                == Outcome(last: .end(trailers: [:]), data: "hello", length: 5))
        #expect(self.read(.length(5), "hell", thenEOF: true).last == .invalid(.endedEarly))
        for text in ["", "5", "5\r\n", "5\r\nhe", "5\r\nhello\r", "5\r\nhello\r\n", "0\r\n", "0\r\nA: b\r\n\r"] {
            #expect(self.read(.chunked, text, thenEOF: true).last == .invalid(.endedEarly), "\(text)")
        }
        var empty = MessageBody(.length(0))
        #expect(empty.receivedEOF() == .end(trailers: [:]))
    }

    private static let wholeBodies: [(String, data: String, chunks: [Int], trailers: HTTPFields)] = [
        ("0\r\n\r\n", "", [], [:]),
        ("a\r\n0123456789\r\n0\r\n\r\n", "0123456789", [10], [:]),
        ("A\r\n0123456789\r\n0\r\n\r\n", "0123456789", [10], [:]),
        ("1e\r\nall your base are belong to us\r\n0\r\n\r\n", "all your base are belong to us", [30], [:]),
        ("5\r\nhello\r\n6\r\n world\r\n000\r\n\r\n", "hello world", [5, 6], [:]),
        (
            "5\r\nhello\r\n6\r\n world\r\n0\r\nVary: *\r\nContent-Type: text/plain\r\n\r\n", "hello world", [5, 6],
            ["Vary": "*", "Content-Type": "text/plain"]
        ),
        (
            "5;ilovew3;somuchlove=aretheseparametersfor;another=withvalue\r\nhello\r\n6;blahblah;blah\r\n world\r\n0\r\n\r\n",
            "hello world", [5, 6], [:]
        ),
        (
            "5;ilovew3=\"I \\\"love\\\"; \\\\extensions\\\\\";somuchlove=\"aretheseparametersfor\";blah;foo=bar\r\nhello\r\n0;a\r\n\r\n",
            "hello", [5], [:]
        ),
        ("1 ; a = \"b\" ;c\t;d=e\r\nx\r\n0\r\n\r\n", "x", [1], [:]),
        ("0000000000000000000000000000001\r\nx\r\n0\r\n\r\n", "x", [1], [:]),
        ("2\r\n\r\n\r\n0\r\n\r\n", "\r\n", [2], [:]),
        ("0\r\nX:POST / HTTP/1.1\r\n\r\n", "", [], ["X": "POST / HTTP/1.1"]),
    ]

    @Test(arguments: Self.wholeBodies)
    func `chunks are a body`(_ text: String, data: String, chunks: [Int], trailers: HTTPFields) {
        let expected = Outcome(
            last: .end(trailers: trailers), data: data, chunks: chunks, whole: chunks.count, length: text.utf8.count)
        #expect(self.read(.chunked, text) == expected)
        #expect(self.read(.chunked, text + "GET / HTTP/1.1\r\n") == expected)
    }

    private static let brokenBodies: [(String, MessageBody.Failure)] = [
        // The size.
        ("x", .badChunkSize), ("\r\n", .badChunkSize), ("\n", .badChunkSize), (" 0\r\n", .badChunkSize),
        ("-1\r\n", .badChunkSize), ("+5\r\nhello\r\n", .badChunkSize), ("0x5\r\nhello\r\n", .badChunkSize),
        ("-0x0\r\n\r\n", .badChunkSize), ("0_2e\r\n\r\n", .badChunkSize), ("5_\r\n", .badChunkSize),
        ("5h\r\nhello\r\n", .badChunkSize), ("1\n", .badChunkSize), ("5\0\r\n", .badChunkSize),
        ("5,\r\n", .badChunkSize),
        ("5.0\r\n", .badChunkSize), ("\u{FF15}\r\n", .badChunkSize), ("INVALID!!!\r\n", .badChunkSize),
        ("8000000000000000\r\n", .chunkTooLarge), ("FFFFFFFFFFFFFFFFF\r\n", .chunkTooLarge),
        ("10000000000000000\r\n", .chunkTooLarge),
        // What may follow it.
        ("1 \r\nx\r\n", .badChunkExtension), ("25  \r\n", .badChunkExtension),
        ("2 erfrferferf\r\naa\r\n", .badChunkExtension),
        ("1;\r\nx\r\n", .badChunkExtension), ("1;\n", .badChunkExtension), ("1;a\n", .badChunkExtension),
        ("1;a \r\n", .badChunkExtension), ("1;=b\r\n", .badChunkExtension), ("1;a=\r\n", .badChunkExtension),
        ("1;a==b\r\n", .badChunkExtension), ("1;a=b=c\r\n", .badChunkExtension), ("1;a b\r\n", .badChunkExtension),
        ("1;a=b c\r\n", .badChunkExtension), ("1;a=b,c\r\n", .badChunkExtension), ("1;a=\"b\r\n", .badChunkExtension),
        ("1;a=\"b\nc\"\r\n", .badChunkExtension), ("1;a=\"b\"c\r\n", .badChunkExtension),
        ("1;a=\"b\\\r\n\"\r\n", .badChunkExtension), ("1;\u{FF}\r\n", .badChunkExtension),
        ("5;ilovew3=\"abc\";somuchlove=\"def; ghi\r\nhello\r\n", .badChunkExtension),
        ("2\r\r;a\r\n02\r\n41\r\n0\r\n\r\n", .chunkWithoutCRLF), ("41;a=b\r\rXXXX", .chunkWithoutCRLF),
        ("1\rX", .chunkWithoutCRLF), ("1\r0\n", .chunkWithoutCRLF),
        // What ends its data.
        ("1\r\nab", .chunkWithoutCRLF), ("5\r\nhelloXX", .chunkWithoutCRLF),
        ("5\r\nhello\n0\r\n\r\n", .chunkWithoutCRLF),
        ("5\r\nhello\rX", .chunkWithoutCRLF), ("5\r\nhello0\r\n\r\n", .chunkWithoutCRLF),
        ("5\r\nhello\r\n\r\n0\r\n\r\n", .badChunkSize), ("1\r\nx\r\n-1\r\n", .badChunkSize),
        // The trailer.
        ("0\r\n\n", .badTrailer), ("0\r\nA\n", .badTrailer), ("0\r\nA\rX", .badTrailer), ("0\r\n\rX", .badTrailer),
        ("0\r\nA b\r\n", .badTrailer), ("0\r\nA : b\r\n", .badTrailer), ("0\r\n A: b\r\n", .badTrailer),
        ("0\r\nA: b\r\n c\r\n", .badTrailer), ("0\r\nA: \0\r\n", .badTrailer), ("0\r\n: b\r\n", .badTrailer),
        ("0\r\nGET / HTTP/1.1\r\n\r\n", .badTrailer),
    ]

    @Test(arguments: Self.brokenBodies) func `broken chunks are failures`(
        _ text: String, _ failure: MessageBody.Failure
    ) {
        #expect(self.read(.chunked, text).last == .invalid(failure))
    }

    @Test func `a chunk that can be seen to be wrong is wrong before its data`() {
        let outcome = self.read(.chunked, "1\r\na\r\n5\r\nhelloXX")
        #expect(outcome == Outcome(last: .invalid(.chunkWithoutCRLF), data: "a", chunks: [1, 5], whole: 1, length: 9))
    }

    @Test func `the line of a size has at most 256 bytes`() {
        func line(_ count: Int) -> String { "1;" + String(repeating: "a", count: count - 2) + "\r\n" }
        #expect(self.read(.chunked, line(256) + "x\r\n0\r\n\r\n").data == "x")
        #expect(self.read(.chunked, line(257)).last == .invalid(.longChunkLine))
        #expect(self.read(.chunked, String(repeating: "0", count: 257)).last == .invalid(.longChunkLine))
    }

    @Test func `a trailer has at most 16 KiB and 100 fields`() {
        func read(_ trailer: String) -> MessageBody.Step {
            let bytes = Array(("0\r\n" + trailer).utf8)
            return self.read(.chunked, bytes, [bytes.count / 2, bytes.count]).last
        }
        let field = "A: b\r\n"
        let fields = String(repeating: field, count: 100)
        guard case .end(let trailers) = read(fields + "\r\n") else { return #expect(Bool(false)) }
        #expect(trailers.count == 100)
        #expect(read(fields + field) == .invalid(.trailerTooLarge))
        let long = "A: " + String(repeating: "b", count: 16 << 10)
        #expect(read(String(long.prefix((16 << 10) - 4)) + "\r\n\r\n") != .invalid(.trailerTooLarge))
        #expect(read(long) == .invalid(.trailerTooLarge))
    }

    @Test func `sizes with long lines and little data are too much`() {
        func read(_ chunk: String, _ count: Int) -> MessageBody.Step {
            let bytes = Array((String(repeating: chunk, count: count) + "0\r\n\r\n").utf8)
            return self.read(.chunked, bytes, [bytes.count]).last
        }
        let name = String(repeating: "x", count: 200)
        #expect(read("1;\(name)\r\nx\r\n", 50) == .end(trailers: [:]))
        #expect(read("1;\(name)\r\nx\r\n", 100) == .invalid(.tooMuchOverhead))
        #expect(read("100;\(name)\r\n\(String(repeating: "x", count: 256))\r\n", 1000) == .end(trailers: [:]))
        #expect(read("1\r\nx\r\n", 20000) == .end(trailers: [:]))
    }
}

extension MessageBody.Step {
    /// Nothing more can be read now.
    fileprivate var isLast: Bool {
        switch self {
        case .chunkBegins, .data, .chunkEnds: false
        case .needsMore, .end, .invalid: true
        }
    }
}
