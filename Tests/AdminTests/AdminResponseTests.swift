import DataPlane
import HTTP1
import Testing

@testable import Admin
@testable import ControlPlane

@Suite struct AdminResponseTests {
    private static let date = "Sun, 06 Nov 1994 08:49:37 GMT"

    private func text(_ response: AdminResponse) -> String { String(decoding: response.body, as: UTF8.self) }

    @Test func `an answer is not cached and runs no script`() {
        let response = AdminResponse(405, "no", fields: ["Allow": "POST"])
        let head = """
            HTTP/1.1 405 Method Not Allowed\r
            Date: \(Self.date)\r
            Content-Type: text/plain; charset=utf-8\r
            Cache-Control: no-store\r
            X-Content-Type-Options: nosniff\r
            Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r
            Allow: POST\r
            Content-Length: 3\r
            Connection: close\r
            \r

            """
        #expect(String(decoding: response.bytes(date: Self.date), as: UTF8.self) == head + "no\n")
        #expect(String(decoding: response.bytes(forHead: true, date: Self.date), as: UTF8.self) == head)
    }

    @Test func `sessions are listed with null for what is absent`() {
        var full = SessionRow.sample("00000000000000b2")
        full.backend = "chat"
        full.endpoint = "ws://127.0.0.1:3000"
        full.origin = "https://a.example"
        full.subprotocol = "a\"\\\u{1}b"
        full.tls = "TLSv1.3"
        full.messagesToBackend = .max
        full.messagesToClient = 2
        full.bytesToBackend = 3
        full.bytesToClient = 4
        full.queuedForClient = 5
        full.queuedForBackend = 6
        full.queueLimit = 65536
        full.credentialExpiresIn = .seconds(7)
        full.rate = 2.26
        full.clientRTT = .microseconds(12)
        full.backendRTT = .zero
        #expect(
            self.text(.sessions(Self.page([.sample(), full]), of: SessionQuery())) == """
                {"sessions":[{"id":"00000000000000a1","route":"/echo","backend":null,"endpoint":null,\
                "client":"192.0.2.1","phase":"serve","age_seconds":1.500000,"idle_seconds":2,"origin":null,"subject":null,\
                "subprotocol":null,"tls":null,"messages_to_backend":0,"messages_to_client":0,"bytes_to_backend":0,\
                "bytes_to_client":0,"queued_for_client":0,"queued_for_backend":0,"queue_limit":null,\
                "credential_expires_in_seconds":null,"client_rtt_seconds":null,\
                "backend_rtt_seconds":null},{"id":"00000000000000b2","route":"/echo","backend":"chat",\
                "endpoint":"ws://127.0.0.1:3000","client":"192.0.2.1","phase":"serve","age_seconds":1.500000,\
                "idle_seconds":2,"origin":"https://a.example","subject":null,"subprotocol":"a\\"\\\\\\u0001b","tls":"TLSv1.3",\
                "messages_to_backend":18446744073709551615,"messages_to_client":2,"bytes_to_backend":3,\
                "bytes_to_client":4,"queued_for_client":5,"queued_for_backend":6,"queue_limit":65536,\
                "credential_expires_in_seconds":7,"rate":2.3,"client_rtt_seconds":0.000012,\
                "backend_rtt_seconds":0}],"total":2,"next":null}

                """)
    }

    private static func page(_ rows: [SessionRow]) -> SessionPage {
        var page = SessionPage()
        page.rows = rows.compactMap { row in
            SessionQuery.position(row.id, in: .id).map { (position: $0, row: row) }
        }
        page.total = rows.count
        return page
    }

    @Test func `a page that is not the last says where the next one begins`() {
        var page = Self.page([.sample()])
        #expect(
            self.text(.sessions(SessionPage(), of: SessionQuery())) == "{\"sessions\":[],\"total\":0,\"next\":null}\n")
        page.hasMore = true
        page.total = 7
        #expect(
            self.text(.sessions(page, of: SessionQuery())).hasSuffix("\"total\":7,\"next\":\"00000000000000a1\"}\n"))
    }

    @Test func `backends are listed with their endpoints`() {
        let endpoint = BackendRow.EndpointRow(
            name: "ws://a", state: "down", reason: "connect: Connection refused", since: .seconds(61), sessions: 1,
            weight: 2, isBackup: true, isChecked: true)
        var other = endpoint
        other.state = "up"
        other.reason = nil
        other.isBackup = false
        other.isChecked = false
        other.order = "drain"
        other.lastCheck = .seconds(4)
        other.checkTime = .milliseconds(5)
        let rows = [
            BackendRow(name: "chat", kind: "websocket", sessions: 3, endpoints: [endpoint, other]),
            BackendRow(name: "echo", kind: "echo", sessions: 0, endpoints: []),
        ]
        #expect(
            self.text(.backends(rows)) == """
                {"backends":[{"name":"chat","kind":"websocket","sessions":3,"endpoints":[{"name":"ws://a",\
                "state":"down","checked":true,"order":"up","reason":"connect: Connection refused","since_seconds":61,"sessions":1,"weight":2,\
                "backup":true,"last_check_seconds":null,"check_seconds":null},{"name":"ws://a","state":"up","checked":false,"order":"drain",\
                "reason":null,"since_seconds":61,"sessions":1,"weight":2,"backup":false,"last_check_seconds":4,\
                "check_seconds":0.005000}]},{"name":"echo","kind":"echo","sessions":0,"endpoints":[]}]}

                """)
    }

    @Test func `a reload says what would close`() {
        let outcome = ReloadOutcome.applied(
            closing: ["the route b is gone": 2, "the route a is gone": 1], kept: 40, awaitingStart: ["log"])
        #expect(
            self.text(.reload(outcome, dryRun: true)) == """
                {"dry_run":true,"closing":3,"kept":40,"reasons":[{"reason":"the route a is gone","sessions":1},\
                {"reason":"the route b is gone","sessions":2}],"awaiting_start":["log"]}

                """)
        let files = ReloadOutcome.Files(
            old: Array("workers: 1\nlog: {level: info}\n".utf8), new: Array("workers: 2\nlog: {level: info}\n".utf8))
        let changed = ReloadOutcome.applied(closing: [:], kept: 1, awaitingStart: [], files: files)
        #expect(
            self.text(.reload(changed, dryRun: true)).hasSuffix(
                #""awaiting_start":[],"changes":["- workers: 1","+ workers: 2"]}"# + "\n"))
        let refused = AdminResponse.reload(.refused(["gateway.conf:1:1: no", "gateway.conf:2:1: no"]), dryRun: false)
        #expect(refused.status == 422)
        #expect(
            self.text(refused) == """
                {"error":"refused, and nothing was changed","mistakes":["gateway.conf:1:1: no",\
                "gateway.conf:2:1: no"]}

                """)
    }

    @Test func `a drain names what it closes`() {
        #expect(self.text(.drain(.draining(sessions: 3))) == "{\"draining\":true,\"sessions\":3}\n")
        #expect(self.text(.drain(.undrained)) == "{\"draining\":false}\n")
        #expect(AdminResponse.drain(.unknown("no backend a")) == .error(404, "no backend a"))
    }

    @Test func `readiness is a status`() {
        #expect(AdminResponse.readiness(.ready) == AdminResponse(200, "ready"))
        #expect(AdminResponse.readiness(.draining) == AdminResponse(503, "draining"))
        #expect(AdminResponse.readiness(.noListener) == AdminResponse(503, "no listener"))
    }
}
