import HTTP1
import Testing

@testable import Admission

@Suite struct AnswerTests {
    private static let date = "Sun, 06 Nov 1994 08:49:37 GMT"

    @Test func `a text makes a whole answer`() {
        let expected = """
            HTTP/1.1 404 Not Found\r
            Content-Type: text/plain; charset=utf-8\r
            Cache-Control: no-store\r
            X-Content-Type-Options: nosniff\r
            Date: \(Self.date)\r
            Content-Length: 5\r
            Connection: close\r
            \r
            gone\n
            """
        #expect(text(Answer(status: 404, text: "gone\n").bytes(date: Self.date)) == expected)
    }

    @Test func `an answer that keeps the connection says nothing of it`() {
        let bytes = text(Answer(status: 404, text: "gone\n").bytes(keepsClient: true, date: Self.date))
        #expect(bytes.hasSuffix("Content-Length: 5\r\n\r\ngone\n"))
    }

    @Test func `an answer to a HEAD has the length and no body`() {
        let bytes = text(Answer(status: 200, text: "abc").bytes(forHead: true, date: Self.date))
        #expect(bytes.contains("\r\nContent-Length: 3\r\n"))
        #expect(bytes.hasSuffix("\r\n\r\n"))
    }

    @Test func `a page may connect and do nothing else`() {
        let bytes = text(Answer.page(Array("<p>".utf8)).bytes(date: Self.date))
        #expect(bytes.contains("\r\nContent-Type: text/html; charset=utf-8\r\n"))
        #expect(bytes.contains("default-src 'none'"))
        #expect(bytes.contains("connect-src 'self' ws: wss:"))
        #expect(bytes.hasSuffix("\r\n\r\n<p>"))
    }

    @Test func `a 304 has neither body nor length`() {
        let bytes = text(Answer(status: 304, reason: "Not Modified", fields: [:], body: [1]).bytes(date: Self.date))
        #expect(bytes == "HTTP/1.1 304 Not Modified\r\nDate: \(Self.date)\r\nConnection: close\r\n\r\n")
    }

    @Test(arguments: [
        (Refusal(HeadError(.malformed, "x")), 400), (Refusal(HeadError(.unsupportedVersion, "x")), 400),
        (Refusal(HeadError(.tooLarge, "x")), 431), (.headTimeout, 408), (.noEndpoint(routeIndex: 1), 503),
        (.draining(routeIndex: 1), 503),
        (.connectFailed("secret", routeIndex: 1), 502), (.badBackend("secret", routeIndex: 1), 502),
        (.backendTimeout("secret", routeIndex: 1), 504),
    ])
    func `every refusal is answered`(_ refusal: Refusal, _ status: Int) {
        let bytes = text(refusal.bytes(date: Self.date))
        #expect(bytes.hasPrefix("HTTP/1.1 \(status) \(reasonPhrase(ofStatus: status))\r\n"))
        #expect(!reasonPhrase(ofStatus: status).isEmpty)
        #expect(bytes.contains("\r\nConnection: close\r\n"))
        #expect(bytes.contains("Retry-After") == [429, 503].contains(status))
        #expect(!bytes.contains("secret"))
        #expect(refusal.detail.contains("secret") == [500, 502, 504].contains(status))
    }

    @Test func `a backend's refusal is passed on, with its cookies and ours`() {
        var answer = Answer(
            status: 401, reason: "Unauthorized", fields: ["WWW-Authenticate": "Basic", "Set-Cookie": "a=1"], body: [])
        let refusal = Refusal(passingOn: answer, with: ["Set-Cookie": "b=2"], routeIndex: 3)
        answer.fields.append("Set-Cookie", "b=2")
        #expect(refusal.status == 401)
        #expect(refusal.detail == "The backend refused the upgrade with 401.")
        #expect(refusal.bytes(date: Self.date) == answer.bytes(date: Self.date))
    }

    @Test func `a backend's own Date is kept`() {
        let theirs = Answer(status: 401, reason: "No", fields: ["Date": "Mon, 07 Nov 1994 08:49:37 GMT"], body: [])
        #expect(text(theirs.bytes(date: Self.date)).contains("\r\nDate: Mon, 07 Nov 1994 08:49:37 GMT\r\n"))
        #expect(!text(theirs.bytes(date: Self.date)).contains(Self.date))
    }

    @Test func `the 101 answers the key`() {
        let expected = """
            HTTP/1.1 101 Switching Protocols\r
            Upgrade: websocket\r
            Connection: Upgrade\r
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r
            Sec-WebSocket-Protocol: chat\r
            Sec-WebSocket-Extensions: permessage-deflate\r
            Set-Cookie: a=b\r
            Date: \(Self.date)\r
            \r\n
            """
        let bytes = SwitchingProtocols.bytes(
            key: "dGhlIHNhbXBsZSBub25jZQ==", subprotocol: "chat", extensions: "permessage-deflate",
            passedFields: ["Set-Cookie": "a=b"], date: Self.date)
        #expect(text(bytes) == expected)
        #expect(!text(SwitchingProtocols.bytes(key: "x", date: Self.date)).contains("Sec-WebSocket-Protocol"))
        let dated = SwitchingProtocols.bytes(key: "x", passedFields: ["date": "theirs"], date: Self.date)
        #expect(text(dated).contains("\r\ndate: theirs\r\n"))
        #expect(!text(dated).contains(Self.date))
    }
}
