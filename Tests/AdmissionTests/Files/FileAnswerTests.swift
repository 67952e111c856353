import Configuration
import HTTP1
import Testing

@testable import Admission

/// Requests for files and their answers, without any file.
@Suite struct FileAnswerTests {
    private static let configuration: GatewayConfiguration = {
        var configuration = sampleConfiguration()
        configuration.routes = [
            route(.exact("/one"), .files(FilesSettings("/srv/one.html"), backend: nil)),
            route(.subtree("/live/"), .files(FilesSettings("/srv/live"), backend: "echo")) { $0.origins = .any },
            route(.subtree("/"), .files(FilesSettings("/srv/app", fallback: "/app/index.html"), backend: nil)),
        ]
        return configuration
    }()

    private func decide(
        _ target: String = "/a.js", _ fields: HTTPFields = [:], method: String = "GET", version: HTTPVersion = .http11,
        host: String? = "example.com"
    ) -> Admission.Decision {
        var all = HTTPFields()
        if let host { all.append("Host", host) }
        all.append(fields)
        let head = RequestHead(method: method, target: target, version: version, fields: all)
        return Admission.decide(head, Hops(all, directArrival), RouteTable(Self.configuration))
    }

    private func request(
        _ target: String = "/a.js", _ fields: HTTPFields = [:], method: String = "GET", version: HTTPVersion = .http11
    ) throws -> FileRequest {
        guard case .files(let request) = self.decide(target, fields, method: method, version: version) else {
            throw Refusal(500, "This leads to no file.")
        }
        return request
    }

    private static let modified: Int64 = 784_111_777
    private static let date = "Sun, 06 Nov 1994 08:49:37 GMT"
    private static let tag = "\"a-2ebc98a1-1\""

    private func file(size: Int = 10, coding: ContentCoding? = nil, hasCodings: Bool = false) -> FileFacts {
        FileFacts(
            name: Array("a.js".utf8), size: size, modified: Self.modified, nanoseconds: 1, modifiedText: Self.date,
            coding: coding, hasCodings: hasCodings)
    }

    private func answer(_ fields: HTTPFields = [:], method: String = "GET", size: Int = 10) throws -> FileAnswer {
        try self.request("/a.js", fields, method: method).answer(self.file(size: size))
    }

    // MARK: - The request

    @Test func `a route leads to a file, or to names below a folder`() throws {
        #expect(try self.request("/one").place == .file("/srv/one.html"))
        let name = try #require(FileName("/b/c.js", below: "/"))
        #expect(try self.request("/b/c.js?x").place == .below(folder: "/srv/app", name))
        #expect(try self.request("/.git/config").place == .hidden)
    }

    @Test func `only upgrades go to the backend beside the files`() throws {
        #expect(try self.request("/live/x").place == .below(folder: "/srv/live", FileName("/x", below: "/")!))
        guard case .upgrade(let admitted) = self.decide("/live/x", upgradeFields(without: ["Host"])) else {
            Issue.record("no upgrade")
            return
        }
        #expect(admitted.routeIndex == 1)
        #expect(try self.request("/x", upgradeFields(without: ["Host"])).routeIndex == 2)
        #expect(
            status(self.decide("/live/x", ["Upgrade": "websocket", "Connection": "upgrade"], method: "POST")) == 405)
    }

    @Test(arguments: ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get"])
    func `other methods than GET and HEAD are refused`(method: String) {
        let refusal = self.decide("/a.js", method: method).refusal
        #expect(refusal?.status == 405)
        #expect(refusal?.answer.fields.first("Allow") == "GET, HEAD")
    }

    @Test func `HTTP 1.0 gets files, and needs a Host`() throws {
        #expect(try self.request(version: .http10).keepsClient == false)
        #expect(status(self.decide(version: .http10, host: nil)) == 400)
    }

    @Test(
        arguments: [
            ([:], true), (["Connection": "close"], false), (["Content-Length": "0"], false),
            (["Content-Length": "3"], false),
            (["Transfer-Encoding": "chunked"], false), (["Connection": "keep-alive"], true),
        ] as [(HTTPFields, Bool)])
    func `the connection is kept where the next request begins for sure`(fields: HTTPFields, isKept: Bool) throws {
        let isEmpty = fields.first("Content-Length") == "0"
        #expect(try self.request("/a.js", fields).keepsClient == (isKept || isEmpty))
    }

    @Test(arguments: [
        ("/users/7", "text/html", true), ("/users/", "text/html, */*;q=0.1", true),
        ("/", "application/json, Text/HTML;q=0.1", true),
        ("/users/7.png", "text/html", false), ("/users/7", "*/*", false), ("/users/7", "text/html;q=0", false),
        ("/users/7", "", false),
        ("/.git/x", "text/html", false), ("/a.b/c", "text/html", true), ("/live/x", "text/html", false),
        ("/one", "text/html", false),
    ]) func `the fallback is for pages whose name has no dot`(target: String, accept: String, isTaken: Bool) throws {
        let fallback = try self.request(target, ["Accept": accept]).fallback
        #expect(fallback == (isTaken ? FileName(configured: "/app/index.html") : nil))
        #expect(fallback.map { $0.bytes == Array("app/index.html".utf8) } ?? true)
    }

    // MARK: - The answer

    @Test func `a file is sent whole`() throws {
        let answer = try self.answer()
        #expect(answer.status == 200)
        #expect(answer.body == .file(0..<10))
        let expected = """
            HTTP/1.1 200 OK\r
            ETag: \(Self.tag)\r
            Last-Modified: \(Self.date)\r
            Accept-Ranges: bytes\r
            Content-Type: text/javascript; charset=utf-8\r
            X-Content-Type-Options: nosniff\r
            Date: now\r
            Content-Length: 10\r
            \r

            """
        #expect(String(decoding: answer.bytes(keepsClient: true, headers: [:], date: "now"), as: UTF8.self) == expected)
    }

    @Test func `an empty file has no body, and HEAD has none either`() throws {
        #expect(try self.answer(size: 0).body == .none)
        let head = try self.answer(method: "HEAD")
        #expect(head.body == .none)
        #expect(head.length == 10)
        #expect(try self.answer(["Range": "bytes=0-0"], method: "HEAD").status == 200)
    }

    @Test func `the route's headers replace others, and the end is announced`() throws {
        let bytes = try self.answer().bytes(keepsClient: false, headers: ["etag": "mine", "X-A": "b"], date: "now")
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.contains("etag: mine\r\n"))
        #expect(!text.contains("ETag"))
        #expect(text.contains("Connection: close\r\n"))
    }

    @Test(
        arguments: [
            (["If-None-Match": tag], 304), (["If-None-Match": "W/\(tag)"], 304),
            (["If-None-Match": "\"x\", \(tag)"], 304),
            (["If-None-Match": "*"], 304), (["If-None-Match": "\"x\""], 200),
            (["If-None-Match": "\"x\"", "If-Modified-Since": date], 200),
            (["If-Modified-Since": date], 304), (["If-Modified-Since": "Sun, 06 Nov 1994 08:49:36 GMT"], 200),
            (["If-Modified-Since": "Sun, 06 Nov 2094 08:49:36 GMT"], 304), (["If-Modified-Since": "yesterday"], 200),
            (["If-Match": tag], 200), (["If-Match": "*"], 200), (["If-Match": "\"x\""], 412),
            (["If-Match": "W/\(tag)"], 412),
            (["If-Unmodified-Since": date], 200), (["If-Unmodified-Since": "Sun, 06 Nov 1994 08:49:36 GMT"], 412),
            (["If-Match": tag, "If-Unmodified-Since": "Sun, 06 Nov 1994 08:49:36 GMT"], 200),
            (["If-Match": "\"x\"", "If-None-Match": tag], 412),
        ] as [(HTTPFields, Int)])
    func `conditions are looked at in the order of the RFC`(fields: HTTPFields, status: Int) throws {
        let answer = try self.answer(fields)
        #expect(answer.status == status)
        #expect(answer.fields.first("ETag") == Self.tag)
        if status == 304 { #expect(answer.length == nil) }
    }

    @Test(
        arguments: [
            (["Range": "bytes=2-4"], 206, "bytes 2-4/10", 2..<5), (["Range": "bytes=-3"], 206, "bytes 7-9/10", 7..<10),
            (["Range": "bytes=2-4", "If-Range": tag], 206, "bytes 2-4/10", 2..<5),
            (["Range": "bytes=2-4", "If-Range": date], 206, "bytes 2-4/10", 2..<5),
            (["Range": "bytes=2-4", "If-Range": "\"x\""], 200, nil, 0..<10),
            (["Range": "bytes=2-4", "If-Range": "W/\(tag)"], 200, nil, 0..<10),
            (["Range": "bytes=2-4", "If-Range": "Sun, 06 Nov 1994 08:49:38 GMT"], 200, nil, 0..<10),
            (["Range": "bytes=10-"], 416, "bytes */10", nil),
            (["Range": "bytes=10-", "If-Range": "\"x\""], 200, nil, 0..<10),
            (["Range": "bytes=0-1,4-5"], 200, nil, 0..<10),
            (["Range": "bytes=0-1", "range": "bytes=4-5"], 200, nil, 0..<10),
            (["Range": "bytes=2-4", "If-None-Match": tag], 304, nil, nil),
        ] as [(HTTPFields, Int, String?, Range<Int>?)])
    func `one range is sent alone`(fields: HTTPFields, status: Int, range: String?, body: Range<Int>?) throws {
        let answer = try self.answer(fields)
        #expect(answer.status == status)
        #expect(answer.fields.first("Content-Range") == range)
        if let body { #expect(answer.body == .file(body)) }
    }

    @Test func `a file in a coding has a tag of its own`() throws {
        let request = try self.request()
        #expect(request.answer(self.file()).fields.first("Vary") == nil)
        #expect(request.answer(self.file(hasCodings: true)).fields.first("Vary") == "Accept-Encoding")
        let coded = request.answer(self.file(coding: .gzip, hasCodings: true))
        #expect(coded.fields.first("Vary") == "Accept-Encoding")
        #expect(coded.fields.first("Content-Encoding") == "gzip")
        #expect(coded.fields.first("Content-Type") == "text/javascript; charset=utf-8")
        #expect(coded.fields.first("ETag") == "\"a-2ebc98a1-1-gzip\"")
    }

    @Test(arguments: [
        ("/a", "/a/"), ("/a?b=c", "/a/?b=c"), ("/%61%20?", "/%61%20/?"), ("http://example.com/a?b", "/a/?b"),
    ])
    func `a folder's path gets its slash`(target: String, location: String) throws {
        let answer = try self.request(target).folderAnswer
        #expect(answer.status == 308)
        #expect(answer.fields.first("Location") == location)
    }

    @Test func `what is not there is told, but to a HEAD`() throws {
        #expect(try self.request("/a%0Ab").absentAnswer.body == .text(Array("Nothing is served at /a%0Ab.\n".utf8)))
        let head = try self.request("/a", method: "HEAD").absentAnswer
        #expect(head.status == 404)
        #expect(head.body == .none)
        #expect(try self.request().deniedAnswer.status == 403)
    }
}
