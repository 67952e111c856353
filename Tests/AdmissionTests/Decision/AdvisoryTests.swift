import Configuration
import HTTP1
import Testing
import WebSocketProtocol

@testable import Admission

/// What other gateways and libraries got wrong in the opening handshake: one test each, from bytes to the answer.
@Suite struct AdvisoryTests {
    /// A request and the status it is answered with; 101 where it is admitted.
    private func answer(_ head: String) -> Int { self.answer(asItIs: head.replacing("\n", with: "\r\n")) }

    private func answer(asItIs head: String) -> Int {
        var parser = RequestHeadParser(takesHTTP10: true)
        switch parser.parse(Array(head.utf8).span) {
        case .incomplete: return 0
        case .invalid(let error): return Refusal(error).status
        case .head(let head, _):
            return status(Admission.decide(head, Hops(head.fields, directArrival), RouteTable(sampleConfiguration())))
        }
    }

    private func upgrade(_ target: String, _ fields: String = "", host: String = "example.com") -> String {
        """
        GET \(target) HTTP/1.1
        Host: \(host)
        Upgrade: websocket
        Connection: Upgrade
        Sec-WebSocket-Version: 13
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        \(fields)

        """ + (fields.isEmpty ? "" : "\n")
    }

    private func backend(_ answer: String) -> BackendHandshake.Outcome {
        var handshake = BackendHandshake(key: "dGhlIHNhbXBsZSBub25jZQ==")
        return handshake.received(Array(answer.replacing("\n", with: "\r\n").utf8).span)
    }

    @Test
    func `the request that the others differ from is admitted`() {
        #expect(self.answer(self.upgrade("/relay")) == 101)
        #expect(self.answer(self.upgrade("/relay", "Origin: http://example.com")) == 101)
    }

    @Test(arguments: [1, 100])
    func `CVE-2026-2833: bytes behind an upgrade are not part of it`(_ count: Int) {
        let head = Array(self.upgrade("/relay").replacing("\n", with: "\r\n").utf8)
        var parser = RequestHeadParser()
        let bytes = head + [UInt8](repeating: 0x47, count: count)
        guard case .head(_, head.count) = parser.parse(bytes.span) else {
            Issue.record("the head does not end where it ends")
            return
        }
    }

    @Test
    func `CVE-2024-23326: a 200 is no upgrade`() {
        let fields = "Upgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n\n"
        #expect(self.backend("HTTP/1.1 200 OK\n" + fields) == .bad("it answered 200, not 101"))
    }

    @Test
    func `CVE-2019-17567: a 101 proves itself`() {
        #expect(self.backend("HTTP/1.1 101 x\n\n") == .bad("a 101 without Upgrade: websocket"))
        #expect(
            self.backend("HTTP/1.1 101 x\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Accept: x\n\n")
                == .bad("a 101 with a wrong Sec-WebSocket-Accept"))
    }

    @Test(arguments: ["h2c", "TLS/1.0", "foo", "websocketx", ""])
    func `CVE-2026-73548: websocket is the only upgrade`(_ name: String) {
        #expect(self.answer(self.upgrade("/relay").replacing("Upgrade: websocket", with: "Upgrade: \(name)")) == 426)
    }

    @Test
    func `CVE-2026-71324: CONNECT opens no tunnel`() {
        #expect(self.answer(self.upgrade("/relay").replacing("GET ", with: "CONNECT ")) == 405)
        #expect(self.answer("CONNECT example.com:443 HTTP/1.1\nHost: example.com:443\n\n") == 400)
    }

    @Test(arguments: ["Content-Length: 5", "Transfer-Encoding: chunked", "Transfer-Encoding: identity"])
    func `CVE-2026-69243: an upgrade has no body`(_ field: String) {
        #expect(self.answer(self.upgrade("/relay", field)) == 400)
    }

    @Test(arguments: ["7", "8", "0"])
    func `GHSA-4mp9-239f-g9hg: old versions and missing Upgrade fields are refused`(_ version: String) {
        #expect(self.answer(self.upgrade("/relay").replacing("Version: 13", with: "Version: \(version)")) == 426)
        #expect(self.answer(self.upgrade("/relay").replacing("Upgrade: websocket\n", with: "")) == 426)
    }

    @Test
    func `CVE-2024-45410, CVE-2026-29054, CVE-2021-32813, CVE-2026-105299: Connection names no field of ours away`()
        throws
    {
        let fields = upgradeFields([
            "Connection": "X-Forwarded-For, X-Forwarded-Host, Origin, X-Request-Id, Host",
            "Origin": "http://example.com",
        ])
        let admitted = try #require(decide("/relay", fields).admitted)
        let endpoint = WebSocketEndpoint(
            address: .tcp(host: "::1", port: 1), tls: false, authority: "[::1]:1", path: .client)
        let sent = BackendRequest.head(for: admitted, to: endpoint, host: .pass, key: "k", sessionID: "s").fields
        for name in ["X-Forwarded-For", "X-Forwarded-Host", "Origin", "X-Request-Id", "Host"] {
            #expect(sent.values(name).count == 1)
        }
    }

    @Test
    func `CVE-2021-32813: what Connection names goes no further`() throws {
        let fields = upgradeFields([
            "Connection": "keep-alive, X-Hop", "X-Hop": "1", "x_hop": "1", "TE": "trailers", "Trailer": "x",
            "Keep-Alive": "1", "Proxy-Authorization": "x", "X-Stays": "1",
        ])
        let admitted = try #require(decide("/relay", fields).admitted)
        let endpoint = WebSocketEndpoint(
            address: .tcp(host: "::1", port: 1), tls: false, authority: "[::1]:1", path: .client)
        let sent = BackendRequest.head(for: admitted, to: endpoint, host: .pass, key: "k", sessionID: "s").fields
        #expect(
            sent.map(\.name) == [
                "Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "X-Forwarded-For",
                "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Real-IP", "X-Request-Id", "X-Stays",
            ])
        #expect(sent.values("Connection") == ["Upgrade"])
    }

    @Test
    func `CVE-2026-55458: hop-by-hop fields of a 101 stay with us`() {
        let answer = """
            HTTP/1.1 101 x
            Upgrade: websocket
            Connection: Upgrade, X-Hop
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
            X-Hop: 1
            Keep-Alive: 1
            Proxy-Authenticate: Basic
            Transfer-Encoding: chunked
            X-Stays: 1


            """
        guard case .accepted(let accepted) = self.backend(answer) else {
            Issue.record("a good 101 is refused")
            return
        }
        #expect(accepted.passedFields == ["X-Stays": "1"])
    }

    @Test(arguments: [
        "X-Forwarded-For", "x_forwarded_for", "X.Forwarded.For", "X_Forwarded-Proto", "X-Real_IP", "FORWARDED",
        "X-Request.Id", "X-Forwarded-User",
    ])
    func `CVE-2026-30851, CVE-2026-88011, CVE-2026-63329: identity fields in other spellings are not passed on`(
        _ name: String
    ) throws {
        let admitted = try #require(decide("/relay", upgradeFields([name: "forged"])).admitted)
        let endpoint = WebSocketEndpoint(
            address: .tcp(host: "::1", port: 1), tls: false, authority: "[::1]:1", path: .client)
        let sent = BackendRequest.bytes(
            for: admitted, to: endpoint, on: .subtree("/"), host: .pass, key: "k", sessionID: "s", without: nil)
        #expect(!text(sent).contains("forged"))
    }

    @Test(arguments: [
        "https://evil.example", "null", "http://example.com.evil.example", "http://example.com@evil.example",
        "http://example.com:81",
        "https://example.com", "", "http://example.com/", "http://example.com http://evil.example", "file://",
        "http://localhost",
    ])
    func `CVE-2026-133111, CVE-2026-112085, CVE-2026-44211: another site's page gets no session`(_ origin: String) {
        #expect(self.answer(self.upgrade("/relay", "Origin: \(origin)")) == 403)
        #expect(self.answer(self.upgrade("/relay", "Origin: \(origin)", host: "localhost:8080")) == 403)
    }

    @Test(arguments: ["//evil.example/relay", "//relay", "http://evil.example/relay", "/%2Frelay"])
    func `CVE-2026-126344: no target is admitted that some servers read as a URL`(_ target: String) {
        #expect(self.answer(self.upgrade(target)) == 400)
    }

    @Test(arguments: [
        "/broadcast/../relay", "/broadcast/%2e%2e/relay", "/broadcast/.%2E/relay", "/broadcast/..%2frelay",
        "/broadcast/..;/relay",
        "/broadcast/..%5crelay", "/broadcast/..\\relay", "/broadcast/%00",
    ])
    func `CVE-2026-15631, CVE-2026-127060: no path escapes its route`(_ target: String) {
        #expect(self.answer(self.upgrade(target)) == 400)
    }

    @Test(arguments: ["/relay#", "/relay?x#y", "/#/relay"])
    func `CVE-2026-129500, -129502: a fragment in the target is refused`(_ target: String) {
        #expect(self.answer(self.upgrade(target)) == 400)
    }

    @Test
    func `CVE-2026-130647: an upgrade behind another is not read`() {
        #expect(self.answer(self.upgrade("/relay") + self.upgrade("/echo")) == 101)
    }

    @Test(arguments: ["7", "16", "", "08", "+9", "\"9", "99999999999999999999"])
    func `CVE-2026-2229: invalid window bits are not offered`(_ bits: String) {
        let value = "permessage-deflate; server_max_window_bits=\(bits)"
        switch decide("/relay", upgradeFields(["Sec-WebSocket-Extensions": value])) {
        case .upgrade(let admitted): #expect(admitted.compressionOffers.isEmpty)
        case .refused(let refusal): #expect(refusal.status == 400)
        case .page, .answer, .pass, .files, .events, .publish, .demands: Issue.record("a page")
        }
    }

    @Test(arguments: ["server_max_window_bits=7", "server_max_window_bits=16", "server_max_window_bits", "x=1"])
    func `CVE-2026-2229: a backend's invalid window bits are refused`(_ parameter: String) throws {
        let offers = try #require(
            decide("/relay", upgradeFields(["Sec-WebSocket-Extensions": "permessage-deflate"])).admitted
        ).compressionOffers
        #expect(offers.count == 1)
        var handshake = BackendHandshake(key: "dGhlIHNhbXBsZSBub25jZQ==", compressionOffers: offers)
        let fields = [
            "HTTP/1.1 101 x", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            "Sec-WebSocket-Extensions: permessage-deflate; \(parameter)", "", "",
        ]
        let outcome = handshake.received(Array(fields.joined(separator: "\r\n").utf8).span)
        #expect(
            outcome == .bad("a 101 with extensions that were not offered: permessage-deflate;?\(parameter)"))
    }

    @Test
    func `CVE-2024-37890, CVE-2023-43669: the number and length of fields are bounded`() {
        #expect(self.answer(self.upgrade("/relay", String(repeating: "A: b\n", count: 100) + "A: b")) == 431)
        #expect(self.answer(self.upgrade("/relay", "A: " + String(repeating: "x", count: 17000))) == 431)
        #expect(self.answer(self.upgrade("/" + String(repeating: "x", count: 17000))) == 431)
    }

    @Test
    func `CVE-2021-32640: a long list of subprotocols is read in one go`() {
        let list = (0..<2000).map { "p\($0)" }.joined(separator: " ,  ")
        #expect(self.answer(self.upgrade("/relay", "Sec-WebSocket-Protocol: " + list.prefix(15000) + "x")) == 101)
        #expect(
            self.answer(
                self.upgrade("/relay", "Sec-WebSocket-Protocol: b" + String(repeating: " ", count: 15000) + "x")) == 400
        )
    }

    @Test(arguments: [
        "Content-Length: 0\nContent-Length: 5", "Content-Length: +0", "Content-Length: 0, 0",
        "Transfer-Encoding : chunked",
        "X: y\n Transfer-Encoding: chunked", "X\0: y", "X: y\rZ: w", "Host: other.example", " X: y", ": y", "X y",
    ])
    func `request smuggling: heads that two servers may read differently are refused`(_ fields: String) {
        #expect(self.answer(self.upgrade("/relay", fields)) == 400)
    }

    @Test(arguments: [
        "Host: example.com", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
        "Origin: http://example.com\nOrigin: http://example.com",
    ])
    func `request smuggling: a repeated field that may occur once is refused`(_ fields: String) {
        #expect(self.answer(self.upgrade("/relay", fields)) == 400)
    }

    @Test(arguments: ["X: y\nZ: w", "X: y\rZ: w", "X: y\0", "X: \0y", "X: y\u{1}", "X: y\u{7F}", "X\t: y", "\u{B}X: y"])
    func `request smuggling: bytes that end a line for some servers are refused`(_ line: String) {
        let head = self.upgrade("/relay", "@").replacing("\n", with: "\r\n")
        #expect(self.answer(asItIs: head.replacing("@", with: line)) == 400)
        #expect(self.answer(asItIs: head.replacing("@", with: "X: y")) == 101)
    }

    @Test
    func `request smuggling: a head without a carriage return is refused`() {
        #expect(self.answer(asItIs: self.upgrade("/relay")) == 400)
    }

    @Test(arguments: [
        "GET /relay HTTP/1.0", "GET /relay HTTP/2.0", "GET /relay", "GET  /relay HTTP/1.1", " GET /relay HTTP/1.1",
        "GET /relay HTTP/1.1 ", "GET\t/relay HTTP/1.1", "GET /relay\0 HTTP/1.1", "GET relay HTTP/1.1",
        "GET * HTTP/1.1", "G@T /relay HTTP/1.1", "PRI * HTTP/2.0",
    ])
    func `request smuggling: malformed request lines are refused`(_ line: String) {
        #expect(self.answer(self.upgrade("/relay").replacing("GET /relay HTTP/1.1", with: line)) == 400)
    }

    @Test(arguments: ["X: y\n Z: w", "X : y", "X\0: y", "X: y\0", ": y", "X y"])
    func `response smuggling: a 101 that two readers would read differently is bad`(_ field: String) {
        let outcome = self.backend(
            "HTTP/1.1 101 x\nUpgrade: websocket\nConnection: Upgrade\n"
                + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n\(field)\n\n")
        guard case .bad(let reason) = outcome, reason.hasPrefix("a malformed answer") else {
            Issue.record("\(outcome)")
            return
        }
    }
}
