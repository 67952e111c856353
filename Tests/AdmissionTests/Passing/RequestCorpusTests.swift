import Configuration
import HTTP1
import Testing

@testable import Admission

/// What others have read wrongly: each input is refused, or exactly these bytes go on. The cases are those of llhttp's tests
/// (test/request) and of the HTTP Garden's list of bugs, and what they show to be worth asking; all are for one route that passes
/// plain requests.
@Suite struct RequestCorpusTests {
    /// What becomes of an input.
    enum Fate: Equatable, Sendable {
        /// More bytes are awaited; none went on but those of the head, if that is whole.
        case awaited
        /// The head is refused with this status, and nothing goes on.
        case refused(Int)
        /// The head and these fields (but those that we add to every request) and this body go on.
        case passed(String, fields: String = "", body: String = "", rest: String = "")
        /// The head goes on, then the body turns out to be broken; this much of it went on when all came at once.
        case broken(MessageBody.Failure, after: String = "")
    }

    typealias Case = CorpusCase<Fate>

    // MARK: - What a passing route does

    private func fate(of input: [UInt8], _ ends: [Int]) throws -> Fate {
        var parser = RequestHeadParser(takesHTTP10: true)
        var pieces = ends.filter { $0 <= input.count }[...]
        while let end = pieces.first {
            switch parser.parse(input.span.extracting(first: end)) {
            case .incomplete: pieces.removeFirst()
            case .invalid(let error): return .refused(Refusal(error).status)
            case .head(let head, let length):
                return try self.fate(of: head, Array(input[length...]), pieces.map { $0 - length })
            }
        }
        return .awaited
    }

    private func fate(of head: RequestHead, _ body: [UInt8], _ ends: [Int]) throws -> Fate {
        let request: PlainRequest
        do throws(Refusal) {
            request = try plainRequest(head)
        } catch {
            return .refused(error.status)
        }
        let bytes = request.head(to: webSocketEndpoint(), host: .pass, id: "id").bytes
        let passed = Passed(request.passage, body, ends: ends)
        switch passed.progress {
        case .more: return .awaited
        case .tooLarge: return .refused(413)
        case .invalid(let failure): return .broken(failure, after: passed.sent)
        case .done:
            let rest = String(String.UnicodeScalarView(body[passed.length...].map { Unicode.Scalar($0) }))
            return try self.read(bytes + passed.sent.utf8, body: passed.sent, rest: rest)
        }
    }

    /// Reads what went on as a strict backend does.
    private func read(_ sent: [UInt8], body: String, rest: String) throws -> Fate {
        var parser = RequestHeadParser()
        guard case .head(let head, let length) = parser.parse(sent.span) else {
            Issue.record("a head that cannot be read")
            return .awaited
        }
        var reader = try MessageBody(ofRequest: head)
        var index = length
        var step: MessageBody.Step
        repeat { step = reader.next(in: sent.span, from: &index) } while !step.isEnd
        #expect(index == sent.count, "the body does not end where ours does")
        let ours = ["Host", "X-Request-Id", "X-Real-IP", "Via"]
        let fields = head.fields.filter { !ours.contains($0.name) && !$0.name.hasPrefix("X-Forwarded-") }
        return .passed(
            "\(head.method) \(head.target)", fields: fields.map { "\($0.name): \($0.value)" }.joined(separator: "|"),
            body: body, rest: rest)
    }

    @Test(arguments: Self.heads + Self.lengths + Self.codings + Self.chunks)
    func `an input is refused, or exactly this goes on`(_ example: Case) throws {
        #expect(try self.fate(of: example.input, [example.input.count]) == example.fate)
        for ends in ways(of: example.input) {
            let fate = try self.fate(of: example.input, ends)
            if case (.broken(let failure, _), .broken(let expected, _)) = (fate, example.fate) {
                #expect(failure == expected, "cut at \(ends)")
            } else {
                #expect(fate == example.fate, "cut at \(ends)")
            }
        }
    }

    private static func get(_ rest: String) -> String { "GET / HTTP/1.1\r\nHost: a\r\n" + rest }
    private static func post(_ rest: String) -> String { "POST / HTTP/1.1\r\nHost: a\r\n" + rest }
    private static func chunked(_ body: String) -> String { Self.post("Transfer-Encoding: chunked\r\n\r\n" + body) }

    // MARK: - Heads

    private static let heads: [Case] = [
        Case("nothing but a head", get("\r\n"), .passed("GET /")),
        Case("an absolute target", "GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n", .passed("GET /b?c")),
        Case("an absolute target with another authority", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", .refused(400)),
        Case("a tilde, an encoded slash's neighbours", "GET /~a/%2e%2e HTTP/1.1\r\nHost: a\r\n\r\n", .refused(400)),
        Case("a pipelined request", get("\r\nGET /b HTTP/1.1\r\n"), .passed("GET /", rest: "GET /b HTTP/1.1\r\n")),
        Case(
            "a pipelined request that is none", get("Connection: close\r\n\r\nInvalid\r\n\r\n"),
            .passed("GET /", rest: "Invalid\r\n\r\n")),
        Case("HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", .passed("GET /")),
        Case("an empty head", "\r\n\r\n", .refused(400)),
        Case("an empty line first", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .refused(400)),
        // The request line.
        Case("no Host", "GET / HTTP/1.1\r\n\r\n", .refused(400)),
        Case("two Hosts", get("Host: a\r\n\r\n"), .refused(400)),
        Case("bytes around the Host", "GET / HTTP/1.1\r\nHost: \u{FF}a\u{FF}\r\n\r\n", .refused(400)),
        Case("a NUL in the Host", "GET / HTTP/1.1\r\nHost: a\0.b\r\n\r\n", .refused(400)),
        Case("another protocol", "GET /music ICE/1.0\r\nHost: a\r\n\r\n", .refused(400)),
        Case("not quite the protocol", "GET /music IHTTP/1.0\r\nHost: a\r\n\r\n", .refused(400)),
        Case("RTSP", "PUT /music RTSP/1.0\r\nHost: a\r\n\r\n", .refused(400)),
        Case("a version of later", "GET / HTTP/5.6\r\nHost: a\r\n\r\n", .refused(400)),
        Case("a version that begins well", "GET / HTTP/1.32\r\nHost: a\r\n\r\n", .refused(400)),
        Case("a version that overflows", "GET / HTTP/4294967295.255\r\nHost: a\r\n\r\n", .refused(400)),
        Case("CRs in the version", "GET / HTTP/\r\r1.1\r\nHost: a\r\n\r\n", .refused(400)),
        Case("HTTP/0.9", "GET /\r\n", .refused(400)),
        Case("an LF for a space", "GET /\nHTTP/1.1\r\nHost: a\r\n\r\n", .refused(400)),
        Case("two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", .refused(400)),
        Case("a tab for a space", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", .refused(400)),
        Case("a space at the end", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", .refused(400)),
        Case("a method that is no token", "G=\":<>(e),[T];?\" /get HTTP/1.1\r\nHost: a\r\n\r\n", .refused(400)),
        Case("a NUL for a method", "\0 / HTTP/1.1\r\nHost: a\r\n\r\n", .refused(400)),
        Case("a method nobody knows", "MKCOLA / HTTP/1.1\r\nHost: a\r\n\r\n", .passed("MKCOLA /")),
        Case("a target that is no path", "GET ! HTTP/1.1\r\nHost: a\r\n\r\n", .refused(400)),
        Case("a fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", .refused(400)),
        Case("a byte above 127 in the target", "GET /\u{E9} HTTP/1.1\r\nHost: a\r\n\r\n", .refused(400)),
        Case("two slashes first", "GET //b HTTP/1.1\r\nHost: a\r\n\r\n", .refused(400)),
        Case("HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .refused(400)),
        // Fields.
        Case("a CR between fields", get("Foo: 1\rBar: 2\r\n\r\n"), .refused(400)),
        Case("an LF between fields", post("x:x\nTransfer-Encoding: chunked\r\n\r\n1\r\nA\r\n0\r\n\r\n"), .refused(400)),
        Case("an LF after an empty value", post("x:\nTransfer-Encoding: chunked\r\n\r\n"), .refused(400)),
        Case("a CR after an empty value", post("x:\rTransfer-Encoding: chunked\r\n\r\n"), .refused(400)),
        Case("an LF that hides a length", get("Dummy: x\nContent-Length: 23\r\n\r\n"), .refused(400)),
        Case("LFs only", "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n0\n\n", .refused(400)),
        Case("an empty line of LFs", get("Useless:\n\nGET / HTTP/1.1\r\n\r\n"), .refused(400)),
        Case("CR and something else at the end", get("\rZGET /evil: HTTP/1.1\r\nHost: a\r\n\r\n"), .refused(400)),
        Case("CR, CR, LF", get("Foo: 1\r\r\n\r\n"), .refused(400)),
        Case("an @ in a name", get("Fo@: Failure\r\n\r\n"), .refused(400)),
        Case("a control character in a name", get("Foo\u{1}test: Bar\r\n\r\n"), .refused(400)),
        Case("a byte above 127 in a name", get("\u{EF}foo: bar\r\n\r\n"), .refused(400)),
        Case("a next line at the end of a name", get("Content-Length\u{85}: 10\r\n\r\n0123456789"), .refused(400)),
        Case("a space at the end of a name", get("Content-Length : 34\r\n\r\n"), .refused(400)),
        Case("a tab before the first name", "GET / HTTP/1.1\r\n\tContent-Length: 1\r\n\r\nX", .refused(400)),
        Case("a space before the first name", "GET / HTTP/1.1\r\n Host: foo\r\n\r\n", .refused(400)),
        Case("a folded field", post("Foo: bar\r\n Content-Length: 38\r\n\r\n"), .refused(400)),
        Case("a folded name", get("name\r\n : value\r\n\r\n"), .refused(400)),
        Case("a name in two lines", post("Transfer-\r\nEncoding: chunked\r\nContent-Length: 5\r\n\r\n"), .refused(400)),
        Case("no name", get(": Bar\r\n\r\n"), .refused(400)),
        Case("neither name nor value", get(":\r\nI: am chopped off\r\n\r\n"), .refused(400)),
        Case("no colon", get("Content-Length 10\r\n\r\n0123456789"), .refused(400)),
        Case("a corrupted name", get("Connection\r\u{1B}\u{35}\u{D5}eep-Alive\r\n\r\n"), .refused(400)),
        Case("a NUL in a value", get("Test: test\0THESE\r\n\r\n"), .refused(400)),
        Case("a NUL at the end of a value", get("Evil: evil\0\r\n\r\n"), .refused(400)),
        Case("NUL and CR in a value", get("Header: v\0\ralue\r\n\r\n"), .refused(400)),
        Case("a CR in a value", get("Header: va\rlue\r\n\r\n"), .refused(400)),
        Case("a DEL in a value", get("Header: va\u{7F}lue\r\n\r\n"), .refused(400)),
        Case(
            "bytes above 127 in a value", get("User: \u{85}admin\u{A0}\r\n\r\n"),
            .passed("GET /", fields: "User: \u{85}admin\u{A0}")),
        Case("a tab in a value", get("X:\ta\tb\t\r\n\r\n"), .passed("GET /", fields: "X: a\tb")),
        Case("an empty value", get("X:\r\n\r\n"), .passed("GET /", fields: "X: ")),
        // Fields of the hop.
        Case(
            "fields that Connection names", get("Connection: X, close\r\nX: 1\r\nY: 2\r\n\r\n"),
            .passed("GET /", fields: "Y: 2")),
        Case("Connection names Host", get("Connection: Host\r\n\r\n"), .passed("GET /")),
        Case(
            "Connection names the framing", post("Connection: Content-Length\r\nContent-Length: 1\r\n\r\nx"),
            .passed("POST /", fields: "Content-Length: 1", body: "x")),
        Case(
            "an upgrade to h2c",
            get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n"), .passed("GET /")),
        Case(
            "an underscore for a dash", get("X_Forwarded_For: 6.6.6.6\r\nContent_Length: 5\r\n\r\n"), .passed("GET /")),
    ]

    // MARK: - Content-Length

    private static func length(_ value: String, _ body: String = "") -> String {
        Self.post("Content-Length:\(value)\r\n\r\n\(body)")
    }

    private static let lengths: [Case] = [
        Case("a length", length(" 5", "hello"), .passed("POST /", fields: "Content-Length: 5", body: "hello")),
        Case(
            "a length with zeroes", length(" 003", "abc"), .passed("POST /", fields: "Content-Length: 3", body: "abc")),
        Case(
            "not octal", length(" 010", "0123456789"),
            .passed("POST /", fields: "Content-Length: 10", body: "0123456789")),
        Case(
            "spaces around a length", length("  2 ", "42"), .passed("POST /", fields: "Content-Length: 2", body: "42")),
        Case("tabs around a length", length("\t2\t", "42"), .passed("POST /", fields: "Content-Length: 2", body: "42")),
        Case(
            "a length in another case", post("conTENT-Length: 5\r\n\r\nHELLO"),
            .passed("POST /", fields: "Content-Length: 5", body: "HELLO")),
        Case(
            "a GET with a body", get("Content-Length: 10\r\n\r\n1234567890"),
            .passed("GET /", fields: "Content-Length: 10", body: "1234567890")),
        Case("a POST without one", post("\r\nGET /b"), .passed("POST /", rest: "GET /b")),
        Case(
            "a length of nothing, and another request", post("Content-Length: 0\r\n\r\nPOST /b"),
            .passed("POST /", fields: "Content-Length: 0", rest: "POST /b")),
        Case(
            "a body that looks like a request", length(" 5", "GET /GET /b"),
            .passed("POST /", fields: "Content-Length: 5", body: "GET /", rest: "GET /b")),
        Case("less than the length", length(" 5", "hell"), .awaited),
        Case("an empty length", length(" ", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), .refused(400)),
        Case("no length at all", length(""), .refused(400)),
        Case("a length that overflows", length(" 1000000000000000000000"), .refused(400)),
        Case("a length above 64 bits' half", length(" 9223372036854775808"), .refused(400)),
        Case("a length over the limit", length(" 1048577"), .refused(413)),
        Case("digits and a space", length(" 4 2"), .refused(400)),
        Case("more digits and a space", length(" 13 37"), .refused(400)),
        Case("a plus and an underscore", length(" +1_0", "0123456789"), .refused(400)),
        Case("a plus", length(" +5"), .refused(400)),
        Case("a minus", length(" -48"), .refused(400)),
        Case("a length in hexadecimal", length(" 0x10", "Z"), .refused(400)),
        Case("a length with something behind", length(" 1Z", "Z"), .refused(400)),
        Case("a length with a fraction", length(" 1.0", "Z"), .refused(400)),
        Case("a list of lengths", length(" 5, 5", "hello"), .refused(400)),
        Case("a no-break space before a length", length(" \u{A0}5", "hello"), .refused(400)),
        Case("digits of another script", length(" \u{B2}", "he"), .refused(400)),
        Case("two lengths", post("Content-Length: 1\r\nContent-Length: 0\r\n\r\nZ"), .refused(400)),
        Case("two lengths, the other way", post("Content-Length: 0\r\nContent-Length: 31\r\n\r\n"), .refused(400)),
        Case("the same length twice", post("Content-Length: 1\r\nContent-Length: 1\r\n\r\nZ"), .refused(400)),
        Case("an empty one first", get("Content-Length: \r\nContent-Length: 43\r\n\r\n"), .refused(400)),
        Case("a CR for the dash", post("Content\rLength: 003\r\n\r\nabc"), .refused(400)),
    ]

    // MARK: - Transfer-Encoding

    private static func coding(_ value: String, _ more: String = "") -> String {
        Self.post("Transfer-Encoding:\(value)\r\n\(more)\r\n1\r\nZ\r\n0\r\n\r\n")
    }
    private static let z = Fate.passed("POST /", fields: "Transfer-Encoding: chunked", body: "1\r\nZ\r\n0\r\n\r\n")

    private static let codings: [Case] = [
        Case("chunked", coding(" chunked"), z),
        Case("chunked in capitals", coding(" CHUNKED"), z),
        Case("a tab before chunked", coding("\tchunked"), z),
        Case(
            "a field that only begins like the length", coding(" chunked", "Content-Length-X: 0\r\n"),
            .passed("POST /", fields: "Content-Length-X: 0|Transfer-Encoding: chunked", body: "1\r\nZ\r\n0\r\n\r\n")),
        Case("a length and chunked", coding(" chunked", "Content-Length: 5\r\n"), .refused(400)),
        Case(
            "a length before chunked", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            .refused(400)),
        Case("a length and an empty coding", coding("", "Content-Length: 5\r\n"), .refused(400)),
        Case(
            "a length and empty codings",
            post("Content-Length: 10\r\nTransfer-Encoding:\r\nTransfer-Encoding:\r\n\r\n2\r\nAA\r\n0"), .refused(400)),
        Case("a length and identity", coding(" identity", "Content-Length: 5\r\n"), .refused(400)),
        Case("a length and a comma before chunked", coding(" ,chunked", "Content-Length: 5\r\n"), .refused(400)),
        Case("an empty coding", coding(""), .refused(400)),
        Case("a comma before chunked", coding(" ,chunked"), .refused(400)),
        Case("a comma after chunked", coding(" chunked,"), .refused(400)),
        Case("chunked twice", coding(" chunked", "Transfer-Encoding: chunked\r\n"), .refused(400)),
        Case("chunked twice in a list", coding(" chunked, chunked"), .refused(400)),
        Case("chunked and nothing", coding(" chunked", "Transfer-Encoding:\r\n"), .refused(400)),
        Case(
            "chunked in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            .refused(400)),
        Case("pigeons", coding(" pigeons"), .refused(501)),
        Case("identity", coding(" identity"), .refused(501)),
        Case("gzip before chunked", coding(" gzip, chunked"), .refused(501)),
        Case("gzip after chunked", coding(" chunked, gzip"), .refused(501)),
        Case("identity in another field", coding(" chunked", "Transfer-Encoding: identity\r\n"), .refused(501)),
        Case("the word twice", coding(" chunkedchunked"), .refused(501)),
        Case("chunked in quotes", coding(" \"chunked\""), .refused(501)),
        Case("chunked with a parameter", coding(" chunked;a=b"), .refused(501)),
        Case("no-break spaces around chunked", coding(" \u{A0}chunked\u{A0}"), .refused(501)),
        Case("a vertical tab before chunked", coding(" \u{B}chunked"), .refused(400)),
        Case("chunked and a folded line", post("Transfer-Encoding: chunked\r\n  abc\r\n\r\n0\r\n\r\n"), .refused(400)),
    ]

    // MARK: - Chunks

    private static func whole(_ body: String, rest: String = "") -> Fate {
        .passed("POST /", fields: "Transfer-Encoding: chunked", body: body, rest: rest)
    }

    private static let chunks: [Case] = [
        Case("no data", chunked("0\r\n\r\n"), whole("0\r\n\r\n")),
        Case("a size in small letters", chunked("a\r\n0123456789\r\n0\r\n\r\n"), whole("a\r\n0123456789\r\n0\r\n\r\n")),
        Case("a size in capitals", chunked("A\r\n0123456789\r\n0\r\n\r\n"), whole("a\r\n0123456789\r\n0\r\n\r\n")),
        Case(
            "two chunks, many zeroes", chunked("05\r\nhello\r\n6\r\n world\r\n000\r\n\r\n"),
            whole("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")),
        Case(
            "a trailer", chunked("5\r\nhello\r\n0\r\nVary:*\r\nContent-Type: text/plain\r\n\r\n"),
            whole("5\r\nhello\r\n0\r\nVary: *\r\nContent-Type: text/plain\r\n\r\n")),
        Case(
            "a trailer that is a request to some", chunked("0\r\nX:POST / HTTP/1.1\r\n\r\n"),
            whole("0\r\nX: POST / HTTP/1.1\r\n\r\n")),
        Case(
            "a trailer with a framing", chunked("0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
            whole("0\r\n\r\n")),
        Case(
            "extensions",
            chunked(
                "5;ilovew3;somuchlove=aretheseparametersfor;another=withvalue\r\nhello\r\n6;blahblah;blah\r\n world\r\n0\r\n\r\n"
            ),
            whole("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")),
        Case(
            "quoted extensions",
            chunked("5;a=\"I \\\"love\\\"; \\\\ext\\\\\";b=\"c\";d;foo=bar\r\nhello\r\n0;e\r\n\r\n"),
            whole("5\r\nhello\r\n0\r\n\r\n")),
        Case("another request behind it", chunked("0\r\n\r\nGET /b"), whole("0\r\n\r\n", rest: "GET /b")),
        Case("a byte behind it", chunked("0\r\n\r\n\0"), whole("0\r\n\r\n", rest: "\0")),
        Case(
            "a body that looks like a last chunk", chunked("5\r\n0\r\n\r\n\r\n0\r\n\r\n"),
            whole("5\r\n0\r\n\r\n\r\n0\r\n\r\n")),
        Case("less than a chunk", chunked("5\r\nhell"), .awaited),
        Case("no last chunk", chunked("5\r\nhello\r\n"), .awaited),
        Case("no end of the trailer", chunked("0\r\n"), .awaited),
        Case("a chunk over the limit", chunked("100001\r\n"), .refused(413)),

        Case(
            "a size with an underscore", chunked("0_2e\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
            .broken(.badChunkSize)),
        Case("a size with 0x", chunked("0x5\r\nhello\r\n0\r\n\r\n"), .broken(.badChunkSize)),
        Case("a size with a plus", chunked("+5\r\nhello\r\n0\r\n\r\n"), .broken(.badChunkSize)),
        Case("a size with a minus", chunked("-0x0\r\n\r\n"), .broken(.badChunkSize)),
        Case("a size with a space before", chunked("           0\r\n\r\n"), .broken(.badChunkSize)),
        Case(
            "a size with something behind", chunked("1these-bytes-never-get-validated\r\nZ\r\n0\r\n\r\n"),
            .broken(.badChunkSize)),
        Case("no size", chunked("\r\n\r\n"), .broken(.badChunkSize)),
        Case("no digits", chunked("Z\r\nZZ\r\nZZZ\r\n\r\n"), .broken(.badChunkSize)),
        Case("no chunk", chunked("INVALID!!!\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), .broken(.badChunkSize)),
        Case("a size that overflows", chunked("FFFFFFFFFFFFFFFFF\r\n"), .broken(.chunkTooLarge)),
        Case("a size that overflows to 5", chunked("10000000000000005\r\nhello\r\n0\r\n\r\n"), .broken(.chunkTooLarge)),
        Case("an LF after the size", chunked("5\nhello\r\n0\r\n\r\n"), .broken(.badChunkSize)),
        Case("an LF after the data", chunked("a\r\n0123456789\n0\r\n\r\n"), .broken(.chunkWithoutCRLF)),
        Case("nothing after the data", chunked("5\r\nhello0\r\n\r\n"), .broken(.chunkWithoutCRLF)),
        Case(
            "more data than the size says", chunked("3\r\nabc\r\n5\r\nhello!\r\n0\r\n\r\n"),
            .broken(.chunkWithoutCRLF, after: "3\r\nabc\r\n")),
        Case("an empty line more", chunked("1\r\nA\r\n\r\n0\r\n\r\n"), .broken(.badChunkSize, after: "1\r\nA\r\n")),
        Case("two CRs, then an extension", chunked("2\r\r;a\r\n02\r\n41\r\n0\r\n\r\n"), .broken(.chunkWithoutCRLF)),
        Case("two CRs after an extension", chunked("41;a=b\r\rXXXXXXXX"), .broken(.chunkWithoutCRLF)),
        Case("a CR alone", chunked("1\r0\n"), .broken(.chunkWithoutCRLF)),
        Case(
            "no semicolon before an extension", chunked("2 erfrferferf\r\naa\r\n0 rrrr\r\n\r\n"),
            .broken(.badChunkExtension)),
        Case("no extension after a semicolon", chunked("2;\r\naa\r\n0\r\n\r\n"), .broken(.badChunkExtension)),
        Case("an LF in an extension", chunked("2;\nxx\r\n0\r\n\r\n"), .broken(.badChunkExtension)),
        Case("an LF after an extension", chunked("2;a\nxx\r\n0\r\n\r\n"), .broken(.badChunkExtension)),
        Case(
            "a quote without an end", chunked("5;a=\"abc\";b=\"def; ghi\r\nhello\r\n0\r\n\r\n"),
            .broken(.badChunkExtension)),
        Case("an extension with a byte above 127", chunked("2;\u{E9}\r\nxx\r\n0\r\n\r\n"), .broken(.badChunkExtension)),
        Case("spaces after a size", chunked("25  \r\nThis is the data\r\n"), .broken(.badChunkExtension)),
        Case(
            "a very long extension", chunked("1;" + String(repeating: "a", count: 255) + "\r\nx\r\n0\r\n\r\n"),
            .broken(.longChunkLine)),
        Case(
            "a trailer without a colon", chunked("1\r\nx\r\n0\r\nGET / HTTP/1.1\r\n\r\n"),
            .broken(.badTrailer, after: "1\r\nx\r\n")),
        Case("a trailer with an LF", chunked("0\r\nA: b\nC: d\r\n\r\n"), .broken(.badTrailer)),
        Case("a trailer with a space before its colon", chunked("0\r\nA : b\r\n\r\n"), .broken(.badTrailer)),
        Case("a folded trailer", chunked("0\r\nA: b\r\n c\r\n\r\n"), .broken(.badTrailer)),
        Case("a CR and something else at the end", chunked("0\r\n\rX"), .broken(.badTrailer)),
        Case("an LF at the end", chunked("0\r\n\n"), .broken(.badTrailer)),
    ]
}

extension MessageBody.Step {
    fileprivate var isEnd: Bool {
        switch self {
        case .chunkBegins, .data, .chunkEnds: false
        case .needsMore, .end, .invalid: true
        }
    }
}
