import Configuration
import HTTP1
import Testing

@testable import Admission

/// The answers that routes are configured with, as bytes.
@Suite struct ConfiguredAnswerTests {
    private func bytes(
        _ change: (inout AnswerSettings) -> Void, headers: HTTPFields = [:], forHead: Bool = false
    ) -> String {
        var settings = AnswerSettings()
        change(&settings)
        return text(Answer(settings).bytes(forHead: forHead, headers: headers, date: "now"))
    }

    @Test func `an answer has the text as it is written`() {
        let expected = """
            HTTP/1.1 200 OK\r
            Content-Type: text/plain; charset=utf-8\r
            Cache-Control: no-store\r
            X-Content-Type-Options: nosniff\r
            Date: now\r
            Content-Length: 3\r
            Connection: close\r
            \r

            """
        #expect(self.bytes { $0.text = "ö!" } == expected + "ö!")
        #expect(self.bytes({ $0.text = "ö!" }, forHead: true) == expected)
    }

    @Test(arguments: [
        ("text/html", "text/html; charset=utf-8"), ("TEXT/html;Charset=latin1", "TEXT/html;Charset=latin1"),
        ("application/json", "application/json"),
    ])
    func `text is said to be UTF-8`(_ type: String, _ field: String) {
        #expect(self.bytes { $0.type = type }.contains("\r\nContent-Type: \(field)\r\n"))
    }

    @Test(arguments: [204, 304]) func `some answers have neither body nor length`(_ status: Int) {
        let bytes = self.bytes { $0.status = status }
        #expect(!bytes.contains("Content-Length"))
        #expect(bytes.hasSuffix("Connection: close\r\n\r\n"))
    }

    @Test func `headers of the route replace others of their names`() {
        let headers: HTTPFields = ["cache-control": "max-age=60", "X-A": "b"]
        let bytes = self.bytes({ $0.text = "ok" }, headers: headers)
        #expect(bytes.contains("\r\ncache-control: max-age=60\r\nX-A: b\r\n"))
        #expect(!bytes.contains("no-store"))
        #expect(bytes.contains("\r\nX-Content-Type-Options: nosniff\r\n"))

        let refusal = Refusal(404, "gone").bytes(headers: headers, date: "now")
        #expect(text(refusal).contains("\r\ncache-control: max-age=60\r\nX-A: b\r\n"))

        let upgraded = text(
            SwitchingProtocols.bytes(
                key: "dGhlIHNhbXBsZSBub25jZQ==", passedFields: ["X-a": "theirs", "Set-Cookie": "c"], headers: headers,
                date: "now"))
        #expect(upgraded.hasPrefix("HTTP/1.1 101 "))
        #expect(upgraded.contains("\r\nSet-Cookie: c\r\ncache-control: max-age=60\r\nX-A: b\r\n"))
        #expect(!upgraded.contains("theirs"))
    }

    @Test func `a redirect has a Location and says it`() {
        var settings = RedirectSettings(to: .url("https://b.example/"))
        settings.status = .movedPermanently
        let target = try! RequestTarget("/", host: Authority("a")!)
        let bytes = text(Answer.redirect(settings, host: Authority("a")!, target: target).bytes(date: "now"))
        #expect(bytes.hasPrefix("HTTP/1.1 301 Moved Permanently\r\nLocation: https://b.example/\r\n"))
        #expect(bytes.hasSuffix("\r\n\r\nThis is at https://b.example/\n"))
    }
}
