import Credentials
import HTTP1
import Testing

@testable import Configuration
@testable import ControlPlane

/// Each answer comes whole, byte by byte, and split at every place.
@Suite struct KeyAnswerTests {
    private static let set = "{\"keys\": []}"

    /// - Parameter cut: the length of the first part; 0: byte by byte.
    private static func read(_ text: String, cut: Int, thenEnds: Bool = false) -> KeyAnswer.Progress {
        let bytes = Array(text.utf8)
        var answer = KeyAnswer()
        var progress = KeyAnswer.Progress.incomplete
        var start = 0
        for end in cut == 0 ? Array(1...bytes.count) : [min(cut, bytes.count), bytes.count] {
            progress = answer.received(bytes.span.extracting(start..<end))
            start = end
        }
        return thenEnds ? answer.receivedEOF() : progress
    }

    private static func expect(
        _ text: String, thenEnds: Bool = false, gives expected: KeyAnswer.Progress,
        _ location: SourceLocation = #_sourceLocation
    ) {
        for cut in 0...text.utf8.count {
            let progress = self.read(text, cut: cut, thenEnds: thenEnds)
            #expect(progress == expected, "cut at \(cut)", sourceLocation: location)
            guard progress == expected else { return }
        }
    }

    private static func content(_ text: String = Self.set, type: String? = nil) -> KeyAnswer.Progress {
        .whole(KeyAnswer.Content(bytes: Array(text.utf8), type: type))
    }

    @Test func `the question names the host, asks for JSON, and carries nothing else`() throws {
        let url = try WebURL(parsing: "https://login.example.com:8443/a/keys?b=c")
        let text = String(decoding: KeyAnswer.request(for: url).bytes, as: UTF8.self)
        #expect(
            text == """
                GET /a/keys?b=c HTTP/1.1\r
                Host: login.example.com:8443\r
                User-Agent: gateway\r
                Accept: application/jwk-set+json, application/json\r
                Accept-Encoding: identity\r
                Connection: close\r
                \r

                """)
    }

    @Test func `an answer is read in each framing`() {
        let type = "Content-Type: application/json\r\n"
        Self.expect(
            "HTTP/1.1 200 OK\r\n\(type)Content-Length: 12\r\n\r\n\(Self.set)",
            gives: Self.content(type: "application/json"))
        Self.expect(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"key\r\n7;a=b\r\ns\": []}\r\n0\r\nX: y\r\n\r\n",
            gives: Self.content())
        Self.expect("HTTP/1.0 200\r\n\r\n\(Self.set)", gives: .incomplete)
        Self.expect("HTTP/1.0 200\r\n\r\n\(Self.set)", thenEnds: true, gives: Self.content())
        Self.expect("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", gives: Self.content(""))
    }

    @Test func `interim answers are skipped`() {
        Self.expect(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 \r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n\(Self.set)",
            gives: Self.content())
    }

    @Test(arguments: [301, 302, 303, 307, 308])
    func `a redirect is not followed`(status: Int) {
        Self.expect(
            "HTTP/1.1 \(status) Moved\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n",
            gives: .refused("it answered \(status), and redirects are not followed"))
    }

    @Test(arguments: [101, 201, 204, 404, 500])
    func `only 200 is an answer`(status: Int) {
        Self.expect(
            "HTTP/1.1 \(status) Other\r\nContent-Length: 12\r\n\r\n\(Self.set)",
            gives: .refused("it answered \(status)"))
    }

    @Test func `an answer that is cut is refused`() {
        Self.expect(
            "HTTP/1.1 200 OK\r\nContent-Le", thenEnds: true, gives: .refused("the connection ended before the answer"))
        let failures = ["Content-Length: 12\r\n\r\n{\"keys\"", "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"key\r\n"]
        for rest in failures {
            guard case .refused = Self.read("HTTP/1.1 200 OK\r\n\(rest)", cut: 3, thenEnds: true) else {
                Issue.record("\(rest) is an answer")
                continue
            }
        }
    }

    @Test func `garbage, two framings and compression are refused`() {
        for text in [
            "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
        ] {
            guard case .refused = Self.read(text, cut: 0) else {
                Issue.record("\(text) is an answer")
                continue
            }
        }
    }

    @Test func `an answer has 256 KiB at most, however it is framed`() {
        let most = KeySet.mostBytes
        func text(_ count: Int) -> String { String(repeating: "x", count: count) }
        let tooLong = KeyAnswer.Progress.refused("its answer has more than 262144 bytes")
        let head = "HTTP/1.1 200 OK\r\n"
        #expect(
            Self.read("\(head)Content-Length: \(most)\r\n\r\n\(text(most))", cut: 100) == Self.content(text(most)))
        #expect(Self.read("\(head)Content-Length: \(most + 1)\r\n\r\n\(text(most + 1))", cut: 100) == tooLong)
        #expect(Self.read("\(head)\r\n\(text(most))", cut: 100, thenEnds: true) == Self.content(text(most)))
        #expect(Self.read("\(head)\r\n\(text(most + 1))", cut: 100) == tooLong)
        let chunk = "4000\r\n\(text(0x4000))\r\n"
        let chunks = String(repeating: chunk, count: 16)
        #expect(
            Self.read("\(head)Transfer-Encoding: chunked\r\n\r\n\(chunks)0\r\n\r\n", cut: 100)
                == Self.content(text(most)))
        #expect(Self.read("\(head)Transfer-Encoding: chunked\r\n\r\n\(chunks)1\r\nx\r\n", cut: 100) == tooLong)
        guard case .refused = Self.read("\(head)X: \(text(20_000))", cut: 0) else {
            Issue.record("a head without an end")
            return
        }
    }
}
