import Configuration
import HTTP1
import Testing

@testable import Admission

@Suite struct RoomNameTests {
    @Test(
        arguments: [
            ("lobby", "lobby"), ("a%20b", "a b"), ("gr%C3%BC%C3%9Fe", "grüße"), ("a%2Fb", "a/b"), ("a/b", "a/b"),
            ("%2541", "%41"), ("a+b", "a+b"), ("a%", "a%"), ("%zz", "%zz"), ("", nil), ("%ff", nil), ("%C3", nil),
        ] as [(Substring, String?)])
    func `a name is decoded once, and is UTF-8`(encoded: Substring, name: String?) {
        #expect(RoomName(encoded: encoded)?.text == name)
    }

    @Test func `a name has at most 256 bytes`() {
        #expect(RoomName(encoded: Substring(String(repeating: "a", count: 256))) != nil)
        #expect(RoomName(encoded: Substring(String(repeating: "a", count: 257))) == nil)
        #expect(RoomName(encoded: Substring(String(repeating: "%C3%BC", count: 128))) != nil)
        #expect(RoomName(encoded: Substring(String(repeating: "%C3%BC", count: 129))) == nil)
    }

    @Test(
        arguments: [
            ("/rooms/lobby", "lobby"), ("/rooms/%6Cobby?a=b", "lobby"), ("/rooms/a/b", "a/b"), ("/rooms/", nil),
            ("/rooms/%ff", nil), ("/news", "news"), ("http://example.com/rooms/x", "x"),
        ] as [(String, String?)])
    func `the same room has one name by every route`(target: String, name: String?) {
        var configuration = GatewayConfiguration()
        configuration.backends["rooms"] = BackendSettings(name: "rooms", kind: .builtin(.broadcast))
        configuration.routes = [
            RouteSettings(name: "rooms", path: .subtree("/rooms/"), action: .backend("rooms")),
            RouteSettings(name: "news", path: .exact("/news"), action: .backend("rooms")),
        ]
        let head = RequestHead(method: "GET", target: target, fields: upgradeFields())
        let decision = Admission.decide(head, Hops(head.fields, directArrival), RouteTable(configuration))
        switch decision {
        case .upgrade(let admitted): #expect(admitted.room?.name.text == name)
        case .refused(let refusal): #expect(name == nil && refusal.status == 400)
        default: Issue.record("\(decision)")
        }
    }
}
