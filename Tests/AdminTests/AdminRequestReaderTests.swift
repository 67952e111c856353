import HTTP1
import Testing

@testable import Admin

@Suite struct AdminRequestReaderTests {
    /// The reader's last word. It must be the same for the whole text, byte by byte, and for two parts split at every place.
    private func read(_ text: String) -> AdminRequestReader.Progress {
        let bytes = Array(text.utf8)
        let ways = [[bytes.count], Array(1...max(1, bytes.count))] + (0..<bytes.count).map { [$0, bytes.count] }
        let results = ways.map { ends in
            var reader = AdminRequestReader()
            var start = 0
            for end in ends {
                let progress = reader.received(bytes.span.extracting(start..<end))
                if progress != .incomplete { return progress }
                start = end
            }
            return .incomplete
        }
        for result in results { #expect(result == results[0]) }
        return results[0]
    }

    private func status(_ text: String) -> Int? {
        if case .refused(let response) = self.read(text) { response.status } else { nil }
    }

    @Test func `a request without a body is whole after its head`() {
        let request = AdminRequest(method: "GET", target: "/metrics?a=b", fields: ["Host": "h"])
        #expect(request.path == "/metrics")
        #expect(request.query == "a=b")
        #expect(self.read("GET /metrics?a=b HTTP/1.1\r\nHost: h\r\n\r\n") == .request(request))
    }

    @Test func `HTTP 1.0 is understood`() {
        let request = AdminRequest(method: "OPTIONS", target: "/", version: .http10)
        #expect(self.read("OPTIONS / HTTP/1.0\r\n\r\n") == .request(request))
        #expect(self.status("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == 400)
    }

    @Test func `the body is as long as its head says`() {
        let request = AdminRequest(
            method: "POST", target: "/api/drain", fields: ["Host": "h", "Content-Length": "2"], body: Array("{}".utf8))
        #expect(self.read("POST /api/drain HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}") == .request(request))
        #expect(self.read("POST /api/drain HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{") == .incomplete)
    }

    @Test func `the longest body is accepted and a longer one is refused`() {
        let body = [UInt8](repeating: UInt8(ascii: " "), count: 65536)
        var reader = AdminRequestReader()
        let head = Array("POST / HTTP/1.1\r\nContent-Length: 65536\r\n\r\n".utf8)
        #expect(reader.received(head.span) == .incomplete)
        guard case .request(let request) = reader.received(body.span) else {
            Issue.record("not taken")
            return
        }
        #expect(request.body == body)
        #expect(self.status("POST / HTTP/1.1\r\nContent-Length: 65537\r\n\r\n") == 413)
        #expect(self.status("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n") == 413)
    }

    @Test(arguments: [
        ("Content-Length: -1\r\n", 400),
        ("Content-Length: +1\r\n", 400),
        ("Content-Length: 1, 1\r\n", 400),
        ("Content-Length:\r\n", 400),
        ("Content-Length: 1\r\nContent-Length: 1\r\n", 400),
        ("Transfer-Encoding: chunked\r\n", 400),
        ("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400),
        (" folded: x\r\n", 400),
        ("X: \(String(repeating: "a", count: 16 << 10))\r\n", 431),
        (String(repeating: "X: a\r\n", count: 101), 431),
    ])
    func aBadHeadIsRefused(_ fields: String, _ status: Int) {
        // Byte by byte only: splitting 16 KiB at every place takes too long.
        let bytes = Array("POST / HTTP/1.1\r\n\(fields)\r\n".utf8)
        var reader = AdminRequestReader()
        var progress = AdminRequestReader.Progress.incomplete
        for index in bytes.indices where progress == .incomplete {
            progress = reader.received(bytes.span.extracting(index..<(index + 1)))
        }
        guard case .refused(let response) = progress else {
            Issue.record("\(progress)")
            return
        }
        #expect(response.status == status)
    }

    @Test(arguments: [
        "\u{16}\u{3}\u{1}", "\r\n", "GET / HTTP/1.2\r\n", "GET / HTTP/0.9\r\n", "GET  / HTTP/1.1\r\n", "G\0",
    ])
    func `what is no request is refused`(_ text: String) { #expect(self.status(text) == 400) }
}
