import Admission
import Configuration
import HTTP1
import Testing

@testable import Admin
@testable import ControlPlane

@Suite struct RoomOrderTests {
    private static func decide(
        _ method: String, _ target: String, _ more: HTTPFields = [:], body: String = "", readOnly: Bool = false
    ) -> AdminRouter.Decision {
        var settings = GatewayConfiguration.Admin(address: .tcp(host: "127.0.0.1", port: 9901))
        settings.readOnly = readOnly
        var fields: HTTPFields = ["Host": "127.0.0.1"]
        fields.append(more)
        return AdminRouter(settings).decide(
            AdminRequest(method: method, target: target, fields: fields, body: Array(body.utf8)))
    }

    private static func order(_ method: String, _ target: String, _ more: HTTPFields = [:]) -> RoomOrder? {
        if case .ask(.room(let order)) = self.decide(method, target, more, body: "x") { order } else { nil }
    }

    private static func status(_ decision: AdminRouter.Decision) -> Int? {
        switch decision {
        case .answer(let answer), .refuse(let answer, _): answer.status
        case .ask, .identify, .open: nil
        }
    }

    @Test(
        arguments: [
            ("/api/rooms/b/lobby", "b", "lobby"), ("/api/rooms/b/a/b/c", "b", "a/b/c"),
            ("/api/rooms/b/a%2Fb", "b", "a/b"),
            ("/api/rooms/b/a//b/", "b", "a//b/"), ("/api/rooms/x%20y/%C3%BC", "x y", "ü"), ("/api/rooms/b//", "b", "/"),
        ])
    func `a room is the rest of the path`(target: String, backend: String, room: String) {
        for (method, action) in [("GET", RoomOrder.Action.show), ("DELETE", .forget)] {
            let order = Self.order(method, target)
            #expect(order?.backend == backend && order?.room.text == room && order?.action == action)
        }
    }

    @Test func `a body is published with its type and key`() {
        let order = Self.order(
            "POST", "/api/rooms/b/lobby", ["Content-Type": "a/b", "Idempotency-Key": "k", "X-Exclude-Session": "s"])
        #expect(order?.action == .publish(payload: [0x78], contentType: "a/b", key: "k", excluded: "s"))
        let long = String(repeating: "k", count: 257)
        #expect(Self.status(Self.decide("POST", "/api/rooms/b/lobby", ["Idempotency-Key": long])) == 400)
    }

    @Test func `what is no room has an answer`() {
        #expect(Self.status(Self.decide("GET", "/api/rooms/b/")) == 400)
        #expect(Self.status(Self.decide("GET", "/api/rooms/b/%ff")) == 400)
        #expect(Self.status(Self.decide("GET", "/api/rooms/b")) == 404)
        #expect(Self.status(Self.decide("PUT", "/api/rooms/b/lobby")) == 405)
    }

    @Test func `an address that is read-only publishes and forgets nothing`() {
        #expect(Self.status(Self.decide("GET", "/api/rooms/b/lobby", readOnly: true)) == nil)
        #expect(Self.status(Self.decide("POST", "/api/rooms/b/lobby", readOnly: true)) == 403)
        #expect(Self.status(Self.decide("DELETE", "/api/rooms/b/lobby", readOnly: true)) == 403)
    }

    @Test func `a page begins behind the last one`() throws {
        let position = RoomQuery.Position(backend: "b", room: "a/ü\n")
        guard case .ask(.rooms(let query)) = Self.decide("GET", "/api/rooms?limit=5&after=\(position.text)&backend=b")
        else {
            Issue.record("no question")
            return
        }
        #expect((query.after, query.limit, query.backend) == (position, 5, "b"))
        for wrong in ["limit=0", "limit=1001", "after=xyz", "after=61", "page=2"] {
            #expect(Self.status(Self.decide("GET", "/api/rooms?\(wrong)")) == 400)
        }
    }
}
