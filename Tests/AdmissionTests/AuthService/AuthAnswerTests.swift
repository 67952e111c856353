import HTTP1
import TestSupport
import Testing

@testable import Admission
@testable import Configuration
@testable import Credentials

/// What an answer of an auth service is worth, however it comes.
@Suite struct AuthAnswerTests {
    private static let settings: ForwardSettings = {
        var settings = ForwardSettings(url: try! WebURL(parsing: "http://127.0.0.1:9091/"))
        settings.send = ["Remote-User", "Remote-Groups"]
        return settings
    }()

    private static func bytes(_ lines: String..., body: String = "") -> [UInt8] {
        Array((lines.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8)
    }

    /// The verdict on an answer that comes in these pieces, and then ends.
    private static func verdict(_ pieces: [[UInt8]], inOrder: Bool = true) -> AuthVerdict {
        var answer = AuthAnswer(to: Self.settings)
        for piece in pieces {
            if let verdict = answer.received(piece.span) { return verdict }
        }
        return answer.receivedEOF(inOrder: inOrder)
    }

    private static func verdict(_ bytes: [UInt8]) -> AuthVerdict { Self.verdict([bytes]) }

    private static func granted(_ subject: String?, _ fields: HTTPFields, _ cookies: [String] = []) -> AuthVerdict {
        var all = HTTPFields()
        for cookie in cookies { all.append("Set-Cookie", cookie) }
        return .granted(Grant(subject: subject, fields: fields), cookies: all)
    }

    private static func refused(_ status: Int, _ fields: HTTPFields, body: String) -> AuthVerdict {
        .refused(Answer(status: status, reason: "R", fields: fields, body: Array(body.utf8)))
    }

    private struct Case {
        let bytes: [UInt8]
        let verdict: AuthVerdict
    }

    private static let cases: [Case] = [
        Case(
            bytes: bytes(
                "HTTP/1.1 200 OK", "remote-user: ann", "Remote-Groups: a,b", "X-Other: c", "Content-Length: 5"),
            verdict: granted("ann", ["Remote-User": "ann", "Remote-Groups": "a,b"])),
        Case(bytes: bytes("HTTP/1.0 204 No Content"), verdict: granted(nil, [:])),
        Case(
            bytes: bytes(
                "HTTP/1.1 202 R", "Set-Cookie: a=b", "Remote-Groups: a", "Set-Cookie: c=d", "Remote-Groups: b"),
            verdict: granted(nil, ["Remote-Groups": "a", "Remote-Groups": "b"], ["a=b", "c=d"])),
        Case(
            bytes: bytes("HTTP/1.1 100 Continue") + bytes("HTTP/1.1 103 Early Hints", "Link: <a>")
                + bytes("HTTP/1.1 200 OK", "Remote-User: ann", "Content-Length: 0"),
            verdict: granted("ann", ["Remote-User": "ann"])),
        Case(
            bytes: bytes(
                "HTTP/1.1 302 R", "Location: https://a/?rd=b", "Set-Cookie: c", "Content-Length: 4",
                "Connection: close",
                "Keep-Alive: timeout=5", body: "body"),
            verdict: refused(302, ["Location": "https://a/?rd=b", "Set-Cookie": "c"], body: "body")),
        Case(
            bytes: bytes(
                "HTTP/1.1 401 R", "WWW-Authenticate: Basic realm=\"a\"", "Transfer-Encoding: chunked",
                body: "3\r\nbod\r\n1;x=y\r\ny\r\n0\r\nTrailer: t\r\n\r\n"),
            verdict: refused(401, ["WWW-Authenticate": "Basic realm=\"a\""], body: "body")),
        Case(bytes: bytes("HTTP/1.1 403 R", body: "to the end"), verdict: refused(403, [:], body: "to the end")),
        Case(bytes: bytes("HTTP/1.1 308 R", "Content-Length: 0"), verdict: refused(308, [:], body: "")),
    ]

    @Test(arguments: cases.indices)
    func `an answer is worth the same however it is cut`(index: Int) {
        let (bytes, verdict) = (Self.cases[index].bytes, Self.cases[index].verdict)
        #expect(Self.verdict(bytes) == verdict)
        #expect(Self.verdict(bytes.map { [$0] }) == verdict)
        for cut in bytes.indices {
            #expect(Self.verdict([Array(bytes[..<cut]), Array(bytes[cut...])]) == verdict, "cut at \(cut)")
        }
    }

    @Test(arguments: cases.indices)
    func `what comes behind an answer changes nothing`(index: Int) {
        let (bytes, verdict) = (Self.cases[index].bytes, Self.cases[index].verdict)
        // A body that ends with its connection has nothing behind it.
        guard verdict != Self.cases[6].verdict else { return }
        let other = Self.bytes("HTTP/1.1 200 OK", "Remote-User: mallory", "Set-Cookie: m", "Content-Length: 0")
        var answer = AuthAnswer(to: Self.settings)
        #expect(answer.received((bytes + other).span) == verdict)
        #expect(answer.received(other.span) == verdict)
        #expect(answer.receivedEOF(inOrder: false) == verdict)
    }

    @Test(arguments: cases.indices)
    func `a damaged answer is worth the same however it is cut`(index: Int) {
        var random = SeededGenerator(seed: UInt64(index))
        let odd = Array("\0\t\n\r #,:;=0a2\u{7F}é".utf8)
        for _ in 0..<400 {
            var bytes = Self.cases[index].bytes
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: bytes.indices, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = odd.randomElement(using: &random)!
                case 1: bytes.insert(odd.randomElement(using: &random)!, at: place)
                case 2: bytes.remove(at: place)
                default: bytes.insert(contentsOf: bytes[place...].prefix(30), at: place)
                }
            }
            let whole = Self.verdict(bytes)
            let cut = Int.random(in: bytes.indices, using: &random)
            #expect(Self.verdict(bytes.map { [$0] }) == whole)
            #expect(Self.verdict([Array(bytes[..<cut]), Array(bytes[cut...])]) == whole)
            if case .granted = whole { #expect(bytes.starts(with: "HTTP/1.".utf8)) }
        }
    }

    @Test(arguments: cases.indices)
    func `half an answer lets no one in`(index: Int) {
        let bytes = Self.cases[index].bytes
        for cut in bytes.indices {
            let verdict = Self.verdict([Array(bytes[..<cut])], inOrder: false)
            // The head of one that lets in is all that counts.
            if case .unreachable = verdict { continue }
            #expect(verdict == Self.cases[index].verdict, "cut at \(cut)")
        }
    }

    @Test(arguments: [
        ("HTTP/1.1 500 R\r\n\r\n", "it answered 500"), ("HTTP/1.1 404 R\r\n\r\n", "it answered 404"),
        ("HTTP/1.1 407 R\r\n\r\n", "it answered 407"), ("HTTP/1.1 304 R\r\n\r\n", "it answered 304"),
        ("HTTP/1.1 101 R\r\nUpgrade: websocket\r\n\r\n", "it answered 101"),
        ("HTTP/1.1 999 R\r\n\r\n", "it answered 999"),
        ("", "it closed the connection before it answered"),
        ("HTTP/1.1 200 OK\r\nRemote-User: ann\r\n", "it closed the connection before it answered"),
        ("HTTP/1.1 403 R\r\nContent-Length: 9\r\n\r\nhalf", "it closed the connection in the middle of a 403"),
        (
            "HTTP/1.1 200 OK\r\nRemote-User: a\r\nremote-user: b\r\n\r\n",
            "its answer names the client more than once"
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "a 200 with more than one Content-Length"
        ),
    ])
    func `what is neither yes nor no lets no one in`(text: String, reason: String) {
        #expect(Self.verdict(Array(text.utf8)) == .unreachable(reason))
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\nA: b\n\n",
        "HTTP/2 200\r\n\r\n", "HTTP/1.1 200 OK\r\nRemote-User : ann\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
        "<html>200 OK</html>\r\n\r\n", "HTTP/1.1 401 R\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ])
    func `what is malformed lets no one in`(text: String) {
        guard case .unreachable(let reason) = Self.verdict(Array(text.utf8)) else {
            Issue.record("it counts")
            return
        }
        #expect(!reason.contains("ann"))
    }

    @Test func `an answer has its bounds`() {
        let long = String(repeating: "a", count: AuthAnswer.most)
        guard case .unreachable = Self.verdict(Self.bytes("HTTP/1.1 200 OK", "A: \(long)")) else {
            Issue.record("a head without an end")
            return
        }
        let interim = Self.bytes("HTTP/1.1 102 Processing")
        #expect(
            Self.verdict(Array(repeating: interim, count: 9)) == .unreachable("too many interim answers"))
        let last = Self.bytes("HTTP/1.1 200 OK")
        #expect(Self.verdict(Array(repeating: interim, count: 8) + [last]) == Self.granted(nil, [:]))

        // As much as fits passes, and of more only the head: a part of a page is no page.
        let head = Self.bytes("HTTP/1.1 403 R", "A: b")
        let most = AuthAnswer.most - head.count
        for (count, passed) in [(most, most), (most + 1, 0), (most * 2, 0)] {
            let body = String(repeating: "b", count: count)
            #expect(
                Self.verdict(head + Array(body.utf8))
                    == Self.refused(403, ["A": "b"], body: String(body.prefix(passed))))
        }
    }
}
