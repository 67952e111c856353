import HTTP1
import Testing

@testable import Admission

@Suite struct PassedAnswerTests {
    /// What the client gets, and what remains.
    private struct Outcome: Equatable {
        var interim: [String] = []
        /// `needsMore`, `head` or `bad`.
        var last: PassedAnswer.Step = .needsMore
        var length = 0

        var head: PassedHead? { if case .head(let head) = self.last { head } else { nil } }
        var bad: String? { if case .bad(let why) = self.last { why } else { nil } }
    }

    private func read(_ bytes: [UInt8], _ ends: [Int], to request: PlainRequest) -> Outcome {
        var answer = PassedAnswer(to: request)
        var outcome = Outcome()
        for end in ends where end <= bytes.count {
            reading: while outcome.last == .needsMore {
                switch answer.next(in: bytes.span.extracting(first: end), from: &outcome.length) {
                case .needsMore: break reading
                case .interim(let bytes): outcome.interim.append(text(bytes))
                case let step: outcome.last = step
                }
            }
        }
        #expect(answer.hasReceived == !bytes.isEmpty)
        return outcome
    }

    /// Reads an answer in every way. All must have the same outcome.
    private func read(
        _ answer: String, to method: String = "GET", version: HTTPVersion = .http11
    ) throws -> Outcome {
        let request = try plainRequest(method, version: version)
        let bytes = Array(answer.utf8)
        var whole = self.read(bytes, [bytes.count], to: request)
        for ends in ways(of: bytes) {
            var outcome = self.read(bytes, ends, to: request)
            // Where a fault is found depends on what has come.
            if outcome.bad != nil { (outcome.length, whole.length) = (0, 0) }
            #expect(outcome == whole, "cut at \(ends)")
        }
        return whole
    }

    /// The head as the client gets it.
    private func head(
        _ answer: String, to method: String = "GET", version: HTTPVersion = .http11, keepsClient: Bool = true
    ) throws -> String {
        let outcome = try self.read(answer, to: method, version: version)
        let head = try #require(outcome.head)
        return text(
            head.bytes(
                keepsClient: keepsClient && !head.endsWithConnection, headers: HTTPFields(), cookies: HTTPFields(),
                date: "now"))
    }

    @Test func `the head is written afresh`() throws {
        let answer = """
            HTTP/1.1 201 Made\r
            Server: s\r
            Set-Cookie: a=b\r
            Set-Cookie: c=d\r
            Content-Length: 005\r
            Connection: keep-alive, X-Mine\r
            Keep-Alive: timeout=5\r
            X-Mine: 1\r
            Upgrade: h2c\r
            Trailer: X-Sum\r
            Proxy-Connection: x\r
            Via: 1.1 cache\r
            Date: then\r
            \r
            hello
            """
        let expected = """
            HTTP/1.1 201 Made\r
            Server: s\r
            Set-Cookie: a=b\r
            Set-Cookie: c=d\r
            Via: 1.1 cache\r
            Date: then\r
            Content-Length: 5\r
            \r\n
            """
        #expect(try self.head(answer) == expected)
        #expect(
            try self.head(answer, keepsClient: false) == expected.dropLast() + "Connection: close\r\n\r\n")
        let outcome = try self.read(answer)
        #expect(outcome.length == answer.utf8.count - 5)
        #expect(outcome.head?.status == 201 && outcome.head?.keepsBackend == true)
    }

    @Test(
        arguments: [
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "GET", .http11, "Transfer-Encoding: chunked\r\n"),
            ("HTTP/1.1 200 OK\r\n\r\n", "GET", .http11, "Transfer-Encoding: chunked\r\n"),
            ("HTTP/1.0 200 OK\r\n\r\n", "GET", .http11, "Transfer-Encoding: chunked\r\n"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "GET", .http11, "Content-Length: 0\r\n"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD", .http11, "Content-Length: 5\r\n"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HEAD", .http11, ""),
            ("HTTP/1.1 204 OK\r\nContent-Length: 5\r\n\r\n", "GET", .http11, ""),
            ("HTTP/1.1 304 OK\r\nContent-Length: 5\r\n\r\n", "GET", .http11, "Content-Length: 5\r\n"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "GET", .http10, "Connection: close\r\n"),
            ("HTTP/1.1 200 OK\r\n\r\n", "GET", .http10, "Connection: close\r\n"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "GET", .http10, "Content-Length: 5\r\n"),
            (
                "HTTP/1.1 426 No\r\nContent-Length: 0\r\nUpgrade: x\r\nSec-WebSocket-Version: 13\r\n\r\n", "GET",
                .http11,
                "Content-Length: 0\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            ),
        ] as [(String, String, HTTPVersion, String)])
    func `the body is framed for the client`(
        _ answer: String, _ method: String, _ version: HTTPVersion, _ expected: String
    ) throws {
        let head = try self.head(answer, to: method, version: version)
        let start = try #require(head.range(after: "Date: now\r\n"))
        #expect(head[start...] == expected + "\r\n")
    }

    @Test func `interim answers go on, but not to HTTP 1.0`() throws {
        let answer = """
            HTTP/1.1 100 Continue\r
            Connection: close\r
            \r
            HTTP/1.1 103 Early Hints\r
            Link: </a.css>; rel=preload\r
            Content-Length: 5\r
            \r
            HTTP/1.1 200 OK\r
            Content-Length: 0\r
            \r\n
            """
        let outcome = try self.read(answer)
        #expect(
            outcome.interim == [
                "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n",
            ])
        #expect(outcome.head?.status == 200 && outcome.length == answer.utf8.count)
        let old = try self.read(answer, version: .http10)
        #expect(old.interim.isEmpty && old.head?.status == 200)
    }

    @Test(
        arguments: [
            ("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "a 101 to a plain request"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1Z\r\n\r\n", "a 200 with a bad Content-Length"),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                "a 200 with more than one Content-Length"
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                "a 200 with both Content-Length and Transfer-Encoding"
            ),
            ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "a 200 with Transfer-Encoding with HTTP/1.0"),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                "a 200 with a Transfer-Encoding other than chunked"
            ),
            (
                "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
                "a malformed answer: a line starts with whitespace (folded field)"
            ),
            ("HTTP/1.1 200 OK\nA: b\n\n", "a malformed answer: a line ends in LF without CR"),
            ("SSH-2.0-OpenSSH_9.2\r\n", "a malformed answer: byte 0x53 in the version of the status line"),
        ])
    func `an answer that cannot be read is bad`(_ answer: String, _ why: String) throws {
        #expect(try self.read(answer).bad == why)
    }

    @Test func `a head may have 64 KiB and 200 fields`() throws {
        let request = try plainRequest()
        func read(_ fields: String) -> Outcome {
            let bytes = Array("HTTP/1.1 200 OK\r\n\(fields)\r\n".utf8)
            return self.read(bytes, [bytes.count / 2, bytes.count], to: request)
        }
        #expect(read(String(repeating: "A: b\r\n", count: 200)).head != nil)
        #expect(read(String(repeating: "A: b\r\n", count: 201)).bad == "a malformed answer: more than 200 fields")
        let most = 64 << 10
        func long(_ count: Int) -> String { "A: \(String(repeating: "b", count: count - 24))\r\n" }
        #expect(read(long(most)).length == most)
        #expect(read(long(most + 1)).bad == "a malformed answer: more than 65536 bytes")
    }

    @Test func `interim answers are not endless`() throws {
        let bytes = Array(String(repeating: "HTTP/1.1 102 P\r\n\r\n", count: 1001).utf8)
        #expect(self.read(bytes, [bytes.count], to: try plainRequest()).bad == "too many interim answers")
    }

    @Test(
        arguments: [
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true),
            ("HTTP/1.1 204 OK\r\n\r\n", true),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n", false),
            ("HTTP/1.1 200 OK\r\n\r\n", false),
            ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", false),
        ])
    func `the backend's connection is kept where its answer allows it`(_ answer: String, _ isKept: Bool) throws {
        #expect(try self.read(answer).head?.keepsBackend == isKept)
    }
}

extension String {
    /// The index behind the first `text`.
    fileprivate func range(after text: String) -> Index? {
        let bytes = Array(self.utf8)
        let wanted = Array(text.utf8)
        guard let start = bytes.indices.first(where: { bytes[$0...].starts(with: wanted) }) else { return nil }
        return self.utf8.index(self.startIndex, offsetBy: start + wanted.count)
    }
}
