import HTTP1
import Testing
import WebSocketProtocol

@testable import Admission

@Suite struct BackendHandshakeTests {
    private static let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    private static let good = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: \(accept)\r\n"

    private func handshake(requires: Bool = false) -> BackendHandshake {
        BackendHandshake(
            key: "dGhlIHNhbXBsZSBub25jZQ==", offeredSubprotocols: ["b", "a"], requiresSubprotocol: requires,
            compressionOffers: [ExtensionElement(name: "permessage-deflate")])
    }

    /// The one outcome in every way of handing the bytes over; an upgrade's length is counted from the first byte.
    private func outcome(_ text: String, requires: Bool = false, thenEOF: Bool = false) -> BackendHandshake.Outcome? {
        let bytes = Array(text.utf8)
        let ways = [[bytes.count], Array(0...bytes.count)] + (0...bytes.count).map { [$0, bytes.count] }
        let outcomes = ways.map { ends -> BackendHandshake.Outcome in
            var handshake = self.handshake(requires: requires)
            var start = 0
            for end in ends {
                var outcome = handshake.received(bytes.span.extracting(start..<end))
                if case .accepted(var accepted) = outcome {
                    accepted.length += start
                    outcome = .accepted(accepted)
                }
                if outcome != .incomplete { return outcome }
                start = end
            }
            return thenEOF ? handshake.receivedEOF() : .incomplete
        }
        return outcomes.allSatisfy { $0 == outcomes[0] } ? outcomes[0] : nil
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 403 Forbidden\r\n\r\nno",
        "HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n",
    ])
    func `where refusals are passed on they are passed as they came`(_ answer: String) {
        for early in ["", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"] {
            var handshake = BackendHandshake(key: "dGhlIHNhbXBsZSBub25jZQ==", passesRefusals: true)
            let status = Int(answer.split(separator: " ")[1])!
            let outcome = handshake.received(Array((early + answer).utf8).span)
            #expect(outcome == .passed(status: status, Array(answer.utf8)))
        }
    }

    @Test func `where refusals are passed on a bad 101 is no refusal`() {
        var handshake = BackendHandshake(key: "dGhlIHNhbXBsZSBub25jZQ==", passesRefusals: true)
        guard case .bad = handshake.received(Array("HTTP/1.1 101 x\r\n\r\n".utf8).span) else {
            Issue.record("a 101 without an upgrade")
            return
        }
    }

    private func bad(_ head: String, requires: Bool = false) -> String? {
        if case .bad(let why) = self.outcome(head + "\r\n", requires: requires) { why } else { nil }
    }

    @Test func `a good answer is an upgrade and the bytes behind it are left`() {
        let head = """
            HTTP/1.1 101 Web Socket Protocol Handshake\r
            upgrade: WebSocket\r
            connection: keep-alive, upgrade, X-Hop\r
            Sec-WebSocket-Accept: \(Self.accept)\r
            Sec-WebSocket-Protocol: a\r
            Sec-WebSocket-Extensions: permessage-deflate;server_no_context_takeover\r
            Set-Cookie: x=1\r
            X-Hop: y\r
            Date: now\r
            Content-Length: 0\r
            Set-Cookie: y=2\r
            \r\n
            """
        let expected = BackendHandshake.Accepted(
            length: head.utf8.count, subprotocol: "a", extensions: "permessage-deflate; server_no_context_takeover",
            allowsCompression: true, passedFields: ["Set-Cookie": "x=1", "Date": "now", "Set-Cookie": "y=2"])
        #expect(self.outcome(head) == .accepted(expected))
        #expect(self.outcome(head + "\u{1}\u{2}ab") == .accepted(expected))
    }

    @Test func `interim answers are skipped`() {
        let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
        let head = interim + "HTTP/1.1 101 x\r\n\(Self.good)\r\n"
        let expected = BackendHandshake.Accepted(
            length: head.utf8.count, subprotocol: nil, extensions: nil, allowsCompression: false, passedFields: [:])
        #expect(self.outcome(head) == .accepted(expected))
        let many = String(repeating: "HTTP/1.1 100 x\r\n\r\n", count: 9)
        #expect(self.outcome(many) == .bad("too many interim answers"))
    }

    @Test func `a 101 that lacks something is bad`() {
        let start = "HTTP/1.1 101 x\r\n"
        let accept = "Sec-WebSocket-Accept: \(Self.accept)\r\n"
        #expect(self.bad("HTTP/1.0 101 x\r\n" + Self.good) == "a 101 in HTTP/1.0")
        #expect(self.bad(start + "Connection: Upgrade\r\n" + accept) == "a 101 without Upgrade: websocket")
        let upgrades = [
            "Upgrade: h2c": "with Upgrade: h2c, not websocket",
            "Upgrade:": "with an empty Upgrade",
            "Upgrade: ,": "with an empty Upgrade",
            "Upgrade: websocket\r\nUpgrade: websocket": "with 2 Upgrade fields: websocket,websocket",
            "Upgrade: h2c\r\nX: y\r\nUpgrade: websocket": "with 2 Upgrade fields: h2c,websocket",
            "Upgrade: websocket, h2c": "with more than one protocol in Upgrade: websocket,h2c",
        ]
        for (field, fault) in upgrades {
            #expect(self.bad(start + field + "\r\nConnection: Upgrade\r\n" + accept) == "a 101 " + fault)
        }
        let connections = [
            "": "without Connection: Upgrade",
            "Connection: keep-alive\r\n": "with Connection: keep-alive, not Upgrade",
            "Connection: close\r\nConnection: x\r\n": "with Connection: close,x, not Upgrade",
            "Connection: up grade\r\n": "with a malformed Connection: up?grade",
            "Connection:\r\n": "with a malformed Connection: (empty)",
        ]
        for (fields, fault) in connections {
            #expect(self.bad(start + "Upgrade: websocket\r\n" + fields + accept) == "a 101 " + fault)
        }
        #expect(
            self.bad(start + "Upgrade: websocket\r\nConnection: Upgrade\r\n") == "a 101 without Sec-WebSocket-Accept")
        #expect(self.bad(start + Self.good + accept) == "a 101 with 2 Sec-WebSocket-Accept fields")
        let lower = Self.good.replacing("s3pPL", with: "S3pPL")
        #expect(self.bad(start + lower) == "a 101 with a wrong Sec-WebSocket-Accept")
        let good = start + Self.good
        #expect(self.bad(good + "Sec-WebSocket-Protocol: c\r\n") == "a 101 with a subprotocol that was not offered: c")
        #expect(self.bad(good + "Sec-WebSocket-Protocol: A\r\n") == "a 101 with a subprotocol that was not offered: A")
        #expect(
            self.bad(good + "Sec-WebSocket-Protocol: a, b\r\n") == "a 101 with more than one subprotocol: a,?b"
        )
        let two = "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a\r\n"
        #expect(self.bad(good + two) == "a 101 with more than one subprotocol")
        #expect(self.bad(good, requires: true) == "a 101 without the subprotocol that is required")
        let notOffered = [
            "x-other", "permessage-deflate,?x-other", "permessage-deflate;?server_max_window_bits=7",
            "permessage-deflate;?client_max_window_bits=9",
        ]
        for list in notOffered {
            #expect(
                self.bad(good + "Sec-WebSocket-Extensions: \(list.replacing("?", with: " "))\r\n")
                    == "a 101 with extensions that were not offered: \(list)")
        }
        for (list, text) in ["": "(empty)", "a b": "a?b", "permessage-deflate; =": "permessage-deflate;?="] {
            #expect(
                self.bad(good + "Sec-WebSocket-Extensions: \(list)\r\n")
                    == "a 101 with a malformed Sec-WebSocket-Extensions: \(text)")
        }
    }

    @Test(arguments: [200, 204, 226, 600, 999])
    func `another 2xx is not an upgrade`(_ status: Int) {
        #expect(self.bad("HTTP/1.1 \(status) OK\r\n" + Self.good) == "it answered \(status), not 101")
    }

    @Test func `garbage and heads that are too large are bad`() {
        #expect(
            self.outcome("SSH-2.0-x\r\n") == .bad("a malformed answer: byte 0x53 in the version of the status line"))
        let long = "HTTP/1.1 101 x\r\nA: " + String(repeating: "x", count: 17000)
        var handshake = self.handshake()
        let outcome = handshake.received(Array(long.utf8).span)
        #expect(outcome == .bad("a malformed answer: more than 16384 bytes"))
    }

    @Test func `a refusal is passed on with its safe fields`() {
        let head = """
            HTTP/1.1 401 Go Away\r
            WWW-Authenticate: Basic\r
            Set-Cookie: a=b\r
            Connection: close, X-Hop\r
            X-Hop: x\r
            Keep-Alive: x\r
            Sec-WebSocket-Accept: x\r
            Transfer-Encoding: chunked\r
            \r
            3\r
            no!\r
            0\r
            \r\n
            """
        let expected = Answer(
            status: 401, reason: "Go Away", fields: ["WWW-Authenticate": "Basic", "Set-Cookie": "a=b"],
            body: Array("no!".utf8))
        #expect(self.outcome(head) == .refused(expected))
        #expect(text(expected.bytes(date: "now")).contains("\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!"))
    }

    @Test func `a refusal without a length ends with the connection`() {
        let expected = Answer(status: 404, reason: "", fields: [:], body: Array("gone".utf8))
        #expect(self.outcome("HTTP/1.0 404\r\n\r\ngone") == .incomplete)
        #expect(self.outcome("HTTP/1.0 404\r\n\r\ngone", thenEOF: true) == .refused(expected))
        let early = self.outcome("HTTP/1.1 404\r\nContent-Length: 9\r\n\r\ngone", thenEOF: true)
        #expect(early == .refused(expected))
    }

    @Test func `a long refusal is cut`() {
        let body = [UInt8](repeating: 0x61, count: 70_000)
        var handshake = self.handshake()
        let first = handshake.received(Array("HTTP/1.1 500 x\r\n\r\n".utf8).span)
        #expect(first == .incomplete)
        #expect(handshake.isReadingRefusal)
        let expected = Answer(status: 500, reason: "x", fields: [:], body: Array(body.prefix(65536)))
        let last = handshake.received(body.span)
        #expect(last == .refused(expected))
        #expect(!handshake.isReadingRefusal)
        let again = handshake.received(body.span)
        #expect(again == .refused(expected))
        let atEnd = handshake.receivedEOF()
        #expect(atEnd == .refused(expected))
    }

    @Test func `a refusal framed twice is bad`() {
        let text = "HTTP/1.1 403 x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(self.outcome(text) == .bad("a 403 with a broken body: both Content-Length and Transfer-Encoding"))
    }

    @Test func `a connection that ends before the answer is bad`() {
        #expect(self.outcome("", thenEOF: true) == .bad("it closed the connection before it answered"))
        #expect(self.outcome("HTTP/1.1 101", thenEOF: true) == .bad("it closed the connection before it answered"))
    }

    @Test func `a refusal says which versions the backend speaks`() {
        let answer = """
            HTTP/1.1 426 Upgrade Required\r
            Sec-WebSocket-Version: 8, 7\r
            Sec-WebSocket-Accept: x\r
            Sec-WebSocket-Version: 0\r
            Content-Length: 0\r
            \r\n
            """
        var handshake = BackendHandshake(key: "k")
        guard case .refused(let refused) = handshake.received(Array(answer.utf8).span) else {
            Issue.record("not a refusal")
            return
        }
        #expect(refused.fields == ["Sec-WebSocket-Version": "8, 7", "Sec-WebSocket-Version": "0"])
        #expect(text(refused.bytes(date: "now")).contains("\r\nUpgrade: websocket\r\n"))
    }

    @Test func `a credential that comes back is not logged`() {
        func outcome(_ answered: String, offered: [String]) -> BackendHandshake.Outcome {
            var handshake = BackendHandshake(key: "dGhlIHNhbXBsZSBub25jZQ==", offeredSubprotocols: offered)
            let answer = """
                HTTP/1.1 101 Switching Protocols\r
                Upgrade: websocket\r
                Connection: Upgrade\r
                Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r
                Sec-WebSocket-Protocol: \(answered)\r
                \r\n
                """
            return handshake.received(Array(answer.utf8).span)
        }
        #expect(
            outcome("bearer, secret", offered: ["bearer", "secret"])
                == .bad("a 101 with more than one subprotocol"))
        #expect(outcome("b", offered: ["a"]) == .bad("a 101 with a subprotocol that was not offered: b"))
    }
}
