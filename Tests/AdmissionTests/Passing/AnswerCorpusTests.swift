import HTTP1
import Testing

@testable import Admission

/// What others have read wrongly in answers: each input is a bad answer, or exactly these bytes go to the client. The cases are those of
/// llhttp's tests (test/response), and what they show to be worth asking.
@Suite struct AnswerCorpusTests {
    /// What becomes of an answer, after which the backend ends its connection in order.
    enum Fate: Equatable, Sendable {
        /// The client gets 502.
        case bad
        /// These bytes go to the client, and it was whole. `isKept`: the backend's connection could go on.
        case passed(String, body: String = "", isKept: Bool, rest: String = "")
        /// These bytes of the body go to the client, and nothing ends it.
        case broken(MessageBody.Failure, after: String = "")
    }

    typealias Case = CorpusCase<Fate>

    private func fate(of input: [UInt8], _ ends: [Int]) throws -> Fate {
        let request = try plainRequest()
        var answer = PassedAnswer(to: request)
        var index = 0
        var interim = ""
        for end in ends where end <= input.count {
            reading: while true {
                switch answer.next(in: input.span.extracting(first: end), from: &index) {
                case .needsMore: break reading
                case .interim(let bytes): interim += text(bytes)
                case .bad: return .bad
                case .head(let head):
                    let rest = ends.filter { $0 >= end }.map { $0 - index }
                    return self.fate(of: head, interim, Array(input[index...]), rest)
                }
            }
        }
        return .bad
    }

    private func fate(of head: PassedHead, _ interim: String, _ body: [UInt8], _ ends: [Int]) -> Fate {
        let passed = Passed(head.passage, body, ends: ends, thenEOF: true)
        switch passed.progress {
        case .done:
            let sent =
                interim + text(head.bytes(keepsClient: true, headers: HTTPFields(), cookies: HTTPFields(), date: "now"))
            return .passed(
                sent, body: passed.sent, isKept: head.keepsBackend, rest: text(Array(body[passed.length...])))
        case .invalid(let failure): return .broken(failure, after: passed.sent)
        case .more, .tooLarge: return .bad
        }
    }

    @Test(arguments: Self.heads + Self.bodies) func `an answer is bad, or exactly this goes on`(_ example: Case) throws
    {
        #expect(try self.fate(of: example.input, [example.input.count]) == example.fate)
        for ends in ways(of: example.input) {
            let fate = try self.fate(of: example.input, ends)
            switch (fate, example.fate) {
            case (.broken(let failure, _), .broken(let expected, _)):
                #expect(failure == expected, "cut at \(ends)")
            // Pieces of a body without a length become chunks.
            case (.passed(let head, _, let isKept, _), .passed(let expected, _, false, _)):
                #expect(head == expected && !isKept, "cut at \(ends)")
            default: #expect(fate == example.fate, "cut at \(ends)")
            }
        }
    }

    private static func ok(_ rest: String) -> String { "HTTP/1.1 200 OK\r\n" + rest }
    private static func chunked(_ body: String) -> String { Self.ok("Transfer-Encoding: chunked\r\n\r\n" + body) }

    /// The head that the client gets.
    private static func head(_ fields: String, status: String = "200 OK") -> String {
        "HTTP/1.1 \(status)\r\n\(fields)\r\n"
    }

    // MARK: - Heads

    private static let untilEnd = "Date: now\r\nTransfer-Encoding: chunked\r\n"
    private static let empty = "Date: now\r\nContent-Length: 0\r\n"

    private static let heads: [Case] = [
        Case("nothing", "", .bad),
        Case("less than a head", "HTTP/1.1 200 OK\r\nA: b\r\n", .bad),
        Case("no length, and no body", ok("\r\n"), .passed(head(untilEnd), body: "0\r\n\r\n", isKept: false)),
        Case(
            "a space before the reason", "HTTP/1.1 200  OK\r\nContent-Length: 0\r\n\r\n",
            .passed(head(empty, status: "200  OK"), isKept: true)),
        Case(
            "no reason", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", .passed(head(empty, status: "200 "), isKept: true)
        ),
        Case(
            "a status that nobody knows", "HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n",
            .passed(head(empty, status: "999 X"), isKept: true)),
        Case("a misspelt protocol", "HTP/1.1 200 OK\r\n\r\n", .bad),
        Case("a digit more before the dot", "HTTP/01.1 200 OK\r\n\r\n", .bad),
        Case("another digit more before the dot", "HTTP/11.1 200 OK\r\n\r\n", .bad),
        Case("a digit more after the dot", "HTTP/1.01 200 OK\r\n\r\n", .bad),
        Case("a tab after the version", "HTTP/1.1\t200 OK\r\n\r\n", .bad),
        Case("a CR first", "\rHTTP/1.1 200 OK\r\n\r\n", .bad),
        Case("an empty line first", "\r\nHTTP/1.1 200 OK\r\n\r\n", .bad),
        Case("a version of later", "HTTP/5.6 200 OK\r\n\r\n", .bad),
        Case("two spaces after the version", "HTTP/1.1  200 OK\r\n\r\n", .bad),
        Case("a status of one digit", "HTTP/1.1 2 OK\r\n\r\n", .bad),
        Case("a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", .bad),
        Case("a status below 100", "HTTP/1.1 099 OK\r\n\r\n", .bad),
        Case("a CR between fields", ok("Foo: 1\rBar: 2\r\n\r\n"), .bad),
        Case("a folded field", ok("Foo: 1\r\n 2\r\nContent-Length: 0\r\n\r\n"), .bad),
        Case("a space before the first name", ok(" Host: foo\r\n\r\n"), .bad),
        Case("a space before a colon", ok("Content-Length : 0\r\n\r\n"), .bad),
        Case("LFs only", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", .bad),
        Case("no head at all", "SSH-2.0-OpenSSH_9.2\r\n", .bad),
        Case("a switch nobody asked for", "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", .bad),
        Case("an interim answer and no other", "HTTP/1.1 100 Continue\r\n\r\n", .bad),
        Case(
            "an interim answer with a length",
            "HTTP/1.1 103 Hints\r\nContent-Length: 5\r\nLink: <a>\r\n\r\n" + ok("Content-Length: 0\r\n\r\n"),
            .passed("HTTP/1.1 103 Hints\r\nLink: <a>\r\n\r\n" + head(empty), isKept: true)),
        Case(
            "fields of the hop",
            ok("Connection: X\r\nX: 1\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n"),
            .passed(head(empty), isKept: true)),
    ]

    // MARK: - Bodies

    private static let chunkedHead = head(untilEnd)

    private static let bodies: [Case] = [
        Case(
            "a length", ok("Content-Length: 5\r\n\r\nhello"),
            .passed(head("Date: now\r\nContent-Length: 5\r\n"), body: "hello", isKept: true)),
        Case(
            "tabs around a length", ok("Content-Length:\t2\t\r\n\r\n42"),
            .passed(head("Date: now\r\nContent-Length: 2\r\n"), body: "42", isKept: true)),
        Case(
            "an answer behind it", ok("Content-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n"),
            .passed(head(empty), isKept: true, rest: "HTTP/1.1 200 OK\r\n")),
        Case(
            "the same length twice", ok("Content-Length: 2\r\nContent-Length: 2\r\n\r\nok"),
            .passed(head("Date: now\r\nContent-Length: 2\r\n"), body: "ok", isKept: true)),
        Case(
            "no length", ok("Connection: close\r\n\r\nhello"),
            .passed(chunkedHead, body: "5\r\nhello\r\n0\r\n\r\n", isKept: false)),
        Case(
            "HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhello",
            .passed(chunkedHead, body: "5\r\nhello\r\n0\r\n\r\n", isKept: false)),
        Case(
            "a 204 with a length", "HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\nhello",
            .passed(head("Date: now\r\n", status: "204 No"), isKept: true, rest: "hello")),
        Case(
            "a 304 with a length", "HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n",
            .passed(head("Date: now\r\nContent-Length: 5\r\n", status: "304 No"), isKept: true)),
        Case(
            "a field that only begins like the length",
            ok("Content-Length-X: 0\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n"),
            .passed(head("Content-Length-X: 0\r\n" + untilEnd), body: "2\r\nOK\r\n0\r\n\r\n", isKept: true)),
        Case(
            "extensions",
            chunked("5;ilovew3;somuchlove=aretheseparametersfor\r\nhello\r\n6;blahblah;blah\r\n world\r\n0\r\n\r\n"),
            .passed(chunkedHead, body: "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", isKept: true)),
        Case(
            "quoted extensions", chunked("5;a=\"I love; extensions\";b=\"c\";d;foo=bar\r\nhello\r\n0\r\n\r\n"),
            .passed(chunkedHead, body: "5\r\nhello\r\n0\r\n\r\n", isKept: true)),
        Case(
            "a trailer", chunked("0\r\nX-Sum: 1\r\nContent-Length: 5\r\n\r\n"),
            .passed(chunkedHead, body: "0\r\nX-Sum: 1\r\n\r\n", isKept: true)),
        Case(
            "a body after its last chunk", chunked("0\r\n\r\nhello"),
            .passed(chunkedHead, body: "0\r\n\r\n", isKept: true, rest: "hello")),

        Case("a length and a coding", ok("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), .bad),
        Case("an empty coding and a length", ok("Transfer-Encoding:\r\nContent-Length: 5\r\n\r\nhello"), .bad),
        Case("deflate after chunked", ok("Transfer-Encoding: chunked, deflate\r\n\r\nWorld"), .bad),
        Case(
            "identity in another field", ok("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\nWorld"),
            .bad),
        Case("the word twice", ok("Transfer-Encoding: chunkedchunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n"), .bad),
        Case("chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", .bad),
        Case("two lengths", ok("Content-Length: 1\r\nContent-Length: 2\r\n\r\nok"), .bad),
        Case("a bad length", ok("Content-Length: 1Z\r\n\r\nZ"), .bad),
        Case("a bad length of a 204", "HTTP/1.1 204 No\r\nContent-Length: -1\r\n\r\n", .bad),

        Case("an answer that breaks off", ok("Content-Length: 5\r\n\r\nhel"), .broken(.endedEarly, after: "hel")),
        Case(
            "chunks that break off", chunked("5\r\nhello\r\n5\r\nwor"),
            .broken(.endedEarly, after: "5\r\nhello\r\n5\r\nwor")),
        Case("no last chunk", chunked("5\r\nhello\r\n"), .broken(.endedEarly, after: "5\r\nhello\r\n")),
        Case("no end of the trailer", chunked("0\r\nA: b\r\n"), .broken(.endedEarly)),
        Case("spaces after a size", chunked("25  \r\nThis is the data\r\n"), .broken(.badChunkExtension)),
        Case(
            "no semicolon before an extension", chunked("2 erfrferferf\r\naa\r\n0 rrrr\r\n\r\n"),
            .broken(.badChunkExtension)),
        Case("no extension after a semicolon", chunked("2;\r\naa\r\n0\r\n\r\n"), .broken(.badChunkExtension)),
        Case(
            "a quote without an end", chunked("5;a=\"abc\";b=\"def; ghi\r\nhello\r\n0\r\n\r\n"),
            .broken(.badChunkExtension)),
        Case(
            "a size with 0x", chunked("2\r\nok\r\n0x5\r\nhello\r\n0\r\n\r\n"),
            .broken(.badChunkSize, after: "2\r\nok\r\n")),
        Case("an LF after the data", chunked("5\r\nhello\n0\r\n\r\n"), .broken(.chunkWithoutCRLF)),
    ]
}
