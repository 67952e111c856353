import HTTP1
import Testing

@testable import Admission

@Suite struct BodyPassageTests {
    private func passage(
        _ framing: MessageBody.Framing, after fields: HTTPFields = [:], of sender: BodyPassage.Sender = .backend,
        to receiver: HTTPVersion = .http11
    ) -> BodyPassage {
        BodyPassage(MessageBody(framing), after: fields, of: sender, to: receiver)
    }

    /// Passes a body in every way; what goes on must not depend on that.
    private func pass(_ passage: BodyPassage, _ body: String, thenEOF: Bool = false) -> Passed {
        let bytes = Array(body.utf8)
        let whole = Passed(passage, bytes, ends: [bytes.count], thenEOF: thenEOF)
        for ends in ways(of: bytes) {
            #expect(Passed(passage, bytes, ends: ends, thenEOF: thenEOF) == whole, "cut at \(ends)")
        }
        return whole
    }

    @Test func `a body with a length goes on as it is`() {
        #expect(self.pass(self.passage(.length(5)), "helloGET /") == Passed(.done, "hello", length: 5))
        #expect(self.pass(self.passage(.length(5)), "hell") == Passed(.more, "hell", length: 4))
        #expect(self.pass(self.passage(.none), "GET /") == Passed(.done, "", length: 0))
    }

    @Test func `chunks go on with their sizes and without their extensions`() {
        let body = "5;a=\"b\"\r\nhello\r\n0006 ;c\r\n world\r\n00;d\r\nX:  y \r\n\r\n"
        let sent = "5\r\nhello\r\n6\r\n world\r\n0\r\nX: y\r\n\r\n"
        #expect(self.pass(self.passage(.chunked), body + "GET /") == Passed(.done, sent, length: body.utf8.count))
    }

    @Test func `chunks are sent at once, also those that are written anew`() {
        for (body, sends) in [
            ("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", 1), ("5\r\nhello\r\n", 1), ("A\r\n0123456789\r\n0\r\n\r\n", 1),
            ("5\r\nhello\r\n5;a\r\nworld\r\n0\r\n\r\n", 1),
            (String(repeating: "01\r\nx\r\n", count: 1000), 1),
        ] {
            var passage = self.passage(.chunked)
            var count = 0
            var index = 0
            let bytes = Array(body.utf8)
            _ = passage.pass(bytes.span, from: &index) { _ in count += 1 }
            #expect(count == sends, "\(body.prefix(40))")
        }
    }

    @Test func `large data is not copied`() {
        var passage = self.passage(.chunked)
        var sends: [Int] = []
        var index = 0
        let data = String(repeating: "x", count: 5000)
        let bytes = Array("01;a\r\ny\r\n1388;b\r\n\(data)\r\n1388\r\n\(data)\r\n".utf8)
        _ = passage.pass(bytes.span, from: &index) { sends.append($0.count) }
        #expect(sends == [12, 10_010])
    }

    @Test func `what is read besides data is counted`() {
        var passage = self.passage(.chunked)
        var index = 0
        let bytes = Array("1;abc\r\nx\r\n3\r\nabc\r\n2\r\ny".utf8)
        _ = passage.pass(bytes.span, from: &index) { _ in }
        #expect(passage.takeFraming() == BodyPassage.Framing(chunks: 3, bytes: bytes.count - 5))
        #expect(passage.takeFraming() == BodyPassage.Framing(chunks: 0, bytes: 0))
        var plain = self.passage(.length(5))
        index = 0
        _ = plain.pass(Array("hello".utf8).span, from: &index) { _ in }
        #expect(plain.takeFraming() == BodyPassage.Framing(chunks: 0, bytes: 0))
    }

    @Test func `HTTP 1.0 gets no chunks`() {
        let passage = self.passage(.chunked, to: .http10)
        #expect(passage.framing == .untilEnd)
        #expect(self.pass(passage, "5\r\nhello\r\n1\r\n!\r\n0\r\nX: y\r\n\r\n") == Passed(.done, "hello!", length: 27))
        #expect(self.passage(.untilEnd, to: .http10).framing == .untilEnd)
        #expect(self.passage(.length(5), to: .http10).framing == .length(5))
    }

    @Test func `a body without a length becomes chunks, which its end completes`() {
        let passage = self.passage(.untilEnd)
        #expect(passage.framing == .chunked)
        let bytes = Array("hello world!".utf8)
        let sent = "5\r\nhello\r\n7\r\n world!\r\n"
        #expect(Passed(passage, bytes, ends: [5, 12]) == Passed(.more, sent, length: 12))
        #expect(Passed(passage, bytes, ends: [5, 12], thenEOF: true) == Passed(.done, sent + "0\r\n\r\n", length: 12))
    }

    @Test func `a body that breaks off has no end`() {
        let chunked = self.pass(self.passage(.chunked), "5\r\nhello\r\n5\r\nwor", thenEOF: true)
        #expect(chunked == Passed(.invalid(.endedEarly), "5\r\nhello\r\n5\r\nwor", length: 16))
        let length = self.pass(self.passage(.length(5)), "hell", thenEOF: true)
        #expect(length == Passed(.invalid(.endedEarly), "hell", length: 4))
    }

    @Test(
        arguments: [
            "5\r\nhelloXX", "5\r\nhello\n", "5\r\nhello\rX", "0x5\r\nhello\r\n", "5\nhello\r\n", "+5\r\nhello\r\n",
            "5;\r\nhello\r\n", "0\r\nA b\r\n\r\n", "0\r\n\rX",
        ])
    func `nothing of a bad chunk goes on that looks like a whole one`(_ chunk: String) {
        let good = "3\r\nabc\r\n"
        let bytes = Array((good + chunk + "0\r\n\r\n").utf8)
        let whole = Passed(self.passage(.chunked), bytes, ends: [bytes.count])
        #expect(whole.sent == good)
        for ends in ways(of: bytes) {
            let passed = Passed(self.passage(.chunked), bytes, ends: ends)
            #expect(passed.progress == whole.progress)
            #expect(passed.sent == good || "3\r\nabc\r\n5\r\nhello".hasPrefix(passed.sent), "\(passed.sent)")
        }
        guard case .invalid = whole.progress else { return #expect(Bool(false)) }
    }

    @Test func `after a failure nothing goes on`() {
        var passage = self.passage(.chunked)
        var sent = 0
        var index = 0
        let bad = Array("x".utf8)
        let good = Array("0\r\n\r\n".utf8)
        #expect(passage.pass(bad.span, from: &index) { sent += $0.count } == .invalid(.badChunkSize))
        index = 0
        #expect(passage.pass(good.span, from: &index) { sent += $0.count } == .invalid(.badChunkSize))
        #expect(passage.receivedEOF { sent += $0.count } == .invalid(.badChunkSize))
        #expect(sent == 0)
    }

    @Test func `an end is sent once`() {
        var passage = self.passage(.chunked)
        var sent: [UInt8] = []
        var index = 0
        let bytes = Array("0\r\n\r\n0\r\n\r\n".utf8)
        for _ in 0..<2 { _ = passage.pass(bytes.span, from: &index) { sent.append(contentsOf: $0) } }
        #expect(passage.receivedEOF { sent.append(contentsOf: $0) } == .done)
        #expect(text(sent) == "0\r\n\r\n" && index == 5)
    }

    @Test func `trailer fields pass that would pass in the head`() {
        let body =
            "0\r\nX-Sum: 1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nX-Mine: 2\r\nConnection: X-Other\r\n"
            + "X-Other: 3\r\nX-Forwarded-For: 6.6.6.6\r\nHost: evil\r\nTE: x\r\n\r\n"
        let fields: HTTPFields = ["Connection": "X-Mine", "X-Sum": "0"]
        let fromClient = self.passage(.chunked, after: fields, of: .client(isTrustedProxy: false))
        #expect(self.pass(fromClient, body).sent == "0\r\nX-Sum: 1\r\n\r\n")
        let fromBackend = self.passage(.chunked, after: fields)
        #expect(self.pass(fromBackend, body).sent == "0\r\nX-Sum: 1\r\nX-Forwarded-For: 6.6.6.6\r\nHost: evil\r\n\r\n")
    }
}
