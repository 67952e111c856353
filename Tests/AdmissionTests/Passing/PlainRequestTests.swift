import Configuration
import HTTP1
import Testing

@testable import Admission

@Suite struct PlainRequestTests {
    private func head(
        _ method: String = "GET", _ more: HTTPFields = [:], version: HTTPVersion = .http11,
        path: WebSocketEndpoint.Path = .client, on route: PathPattern = .subtree("/"), without cookie: String? = nil,
        host: HostHeader = .pass, arrival: Arrival = directArrival
    ) throws -> RequestHead {
        try plainRequest(method, more, version: version, arrival: arrival)
            .head(to: webSocketEndpoint(path: path), on: route, host: host, id: "id-1", without: cookie)
    }

    @Test func `the request is written afresh`() throws {
        let request = try plainRequest(
            "POST",
            [
                "Content-Length": "005", "User-Agent": "u", "Cookie": "c=d", "Authorization": "Basic x",
                "Via": "1.1 cdn",
                "Origin": "http://example.com", "Expect": "100-continue", "TE": "gzip, trailers", "X-Mine": "1",
                "Connection": "keep-alive, X-Mine, TE", "Keep-Alive": "timeout=5", "Proxy-Connection": "x",
                "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQAAP__", "X_Forwarded_For": "6.6.6.6",
                "X-Rewrite-Url": "/admin", "Accept": "*/*", "Accept": "text/html",
            ])
        let expected = """
            POST /a/b?c=d HTTP/1.1\r
            Host: example.com\r
            Origin: http://example.com\r
            Expect: 100-continue\r
            TE: trailers\r
            Connection: TE\r
            X-Forwarded-For: 192.0.2.1\r
            X-Forwarded-Proto: http\r
            X-Forwarded-Host: example.com\r
            X-Forwarded-Port: 80\r
            X-Real-IP: 192.0.2.1\r
            X-Request-Id: id-1\r
            User-Agent: u\r
            Cookie: c=d\r
            Authorization: Basic x\r
            Via: 1.1 cdn\r
            Accept: */*\r
            Accept: text/html\r
            Via: 1.1 gateway\r
            Content-Length: 5\r
            \r\n
            """
        #expect(
            text(request.head(to: webSocketEndpoint(), host: .pass, id: "id-1").bytes)
                == expected)
        #expect(request.hasBody && request.expectsContinue && request.keepsClient && !request.isRepeatable)
    }

    @Test func `it goes to the endpoint's path and host`() throws {
        #expect(try self.head().target == "/a/b?c=d")
        #expect(try self.head(path: .fixed("/base")).target == "/base?c=d")
        #expect(try self.head(host: .endpoint).fields.first("Host") == "127.0.0.1:3000")
        #expect(try self.head(host: .name("app")).fields.first("Host") == "app")
    }

    @Test func `what an endpoint's star stands for is said, and the gateway's own cookie stays here`() throws {
        let fields: HTTPFields = ["Cookie": "x=1; gateway-app=2; y=3", "X-Forwarded-Prefix": "/forged"]
        let head = try self.head("GET", fields, path: .below("/base/"), on: .subtree("/a/"), without: "gateway-app")
        #expect(head.target == "/base/b?c=d")
        #expect(head.fields.values("X-Forwarded-Prefix") == ["/a"])
        #expect(head.fields.values("Cookie") == ["x=1; y=3"])
        #expect(try self.head("GET", fields).fields.values("X-Forwarded-Prefix") == [])
    }

    @Test func `it is framed as it came`() throws {
        func framing(_ fields: HTTPFields) throws -> [String?] {
            let sent = try self.head("POST", fields).fields
            return [sent.first("Content-Length"), sent.first("Transfer-Encoding")]
        }
        #expect(try framing([:]) == [nil, nil])
        #expect(try framing(["Content-Length": "0"]) == ["0", nil])
        #expect(try framing(["Content-Length": "010"]) == ["10", nil])
        #expect(try framing(["Transfer-Encoding": "Chunked"]) == [nil, "chunked"])
    }

    @Test func `Via says which version the client speaks, and a Via is never a reason to refuse`() throws {
        #expect(try self.head(version: .http10).fields.values("Via") == ["1.0 gateway"])
        #expect(try self.head("GET", ["Via": "1.1 gateway"]).fields.values("Via") == ["1.1 gateway", "1.1 gateway"])
    }

    @Test func `TE is ours, and only says trailers`() throws {
        let gzip = try self.head("GET", ["TE": "gzip;q=1", "Connection": "TE"]).fields
        #expect(!gzip.has("TE") && !gzip.has("Connection"))
    }

    @Test func `a trusted proxy names the request`() throws {
        let sent = try self.head("GET", ["X-Request-Id": "its", "X-Forwarded-Proto": "https"], arrival: proxiedArrival)
        #expect(sent.fields.values("X-Request-Id") == ["its"])
        #expect(sent.fields.values("X-Forwarded-Proto") == ["https"])
    }

    @Test(arguments: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
    func `all methods pass but two`(_ method: String) throws {
        #expect(try plainRequest(method).method == method)
    }

    @Test(arguments: ["TRACE", "CONNECT"]) func `TRACE and CONNECT are not allowed`(_ method: String) {
        do throws(Refusal) {
            _ = try plainRequest(method)
            Issue.record("\(method) passes")
        } catch {
            #expect(error.status == 405)
            #expect(
                error.answer.fields.first("Allow") == "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
        }
    }

    @Test(
        arguments: [
            (["Content-Length": "5", "Transfer-Encoding": "chunked"], 400), (["Content-Length": "1_0"], 400),
            (["Content-Length": "1", "Content-Length": "1"], 400), (["Transfer-Encoding": ",chunked"], 400),
            (["Transfer-Encoding": "gzip, chunked"], 501), (["Transfer-Encoding": "identity"], 501),
        ] as [(HTTPFields, Int)])
    func `a request whose end is in doubt is refused`(_ fields: HTTPFields, _ status: Int) {
        #expect(refusedStatus { () throws(Refusal) in try plainRequest("POST", fields) } == status)
    }

    @Test func `HTTP 1.0 has no chunks, and one request a connection`() throws {
        let chunked = refusedStatus { () throws(Refusal) in
            try plainRequest("POST", ["Transfer-Encoding": "chunked"], version: .http10)
        }
        #expect(chunked == 400)
        let request = try plainRequest(
            "POST", ["Content-Length": "5", "Connection": "keep-alive", "Expect": "100-continue"], version: .http10)
        #expect(request.framing == .length(5) && !request.keepsClient && !request.expectsContinue)
    }

    @Test func `a body over the limit is refused, a limit of 0 is none`() throws {
        func status(_ length: Int, limit: Int) -> Int? {
            refusedStatus { () throws(Refusal) in
                try plainRequest("POST", ["Content-Length": "\(length)"], bodyLimit: limit)
            }
        }
        #expect(status(11, limit: 10) == 413)
        #expect(status(10, limit: 10) == nil)
        #expect(status(.max, limit: 0) == nil)
    }

    @Test func `a chunked body may grow up to the limit`() throws {
        let passage = try plainRequest("POST", ["Transfer-Encoding": "chunked"], bodyLimit: 10).passage
        func progress(_ body: String) -> BodyPassage.Progress {
            Passed(passage, Array(body.utf8), ends: [body.utf8.count]).progress
        }
        #expect(progress("5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n") == .done)
        #expect(progress("5\r\nhello\r\n6\r\n") == .tooLarge)
        #expect(progress("7FFFFFFFFFFFFFFF\r\n") == .tooLarge)
    }

    @Test func `GET, HEAD and OPTIONS without a body may be sent twice`() throws {
        for method in ["GET", "HEAD", "OPTIONS"] {
            #expect(try plainRequest(method).isRepeatable)
            #expect(try plainRequest(method, ["Content-Length": "0"]).isRepeatable)
            #expect(try !plainRequest(method, ["Content-Length": "1"]).isRepeatable)
            #expect(try !plainRequest(method, ["Transfer-Encoding": "chunked"]).isRepeatable)
        }
        for method in ["POST", "PUT", "DELETE", "get"] { #expect(try !plainRequest(method).isRepeatable) }
    }

    @Test func `Connection close ends the client's connection`() throws {
        #expect(try plainRequest().keepsClient)
        #expect(try !plainRequest("GET", ["Connection": "x, Close"]).keepsClient)
    }

    @Test func `nobody waits to be told to send nothing`() throws {
        #expect(try !plainRequest("GET", ["Expect": "100-continue"]).expectsContinue)
        #expect(try !plainRequest("POST", ["Content-Length": "1"]).expectsContinue)
    }
}
