import Testing
import WebSocketProtocol

@Suite struct ExtensionElementTests {
    @Test(arguments: [
        ("permessage-deflate", "permessage-deflate"),
        ("permessage-deflate; client_max_window_bits", "permessage-deflate; client_max_window_bits"),
        ("a;b=1 ;\tc=\"x\"  , d", "a; b=1; c=x, d"), (",a,,b;c,", "a, b; c"), ("a; b=\"\\x\\y\"", "a; b=xy"),
    ])
    func `an offer is written in its plain form`(value: String, rendered: String) throws {
        let offers = try #require(ExtensionElement.parse([value]))
        #expect(ExtensionElement.render(offers) == rendered)
        #expect(ExtensionElement.parse([rendered]) == offers)
    }

    @Test func `several fields are one list`() {
        let first = ExtensionElement(name: "a", parameters: [ExtensionElement.Parameter(name: "p", value: "1")])
        #expect(ExtensionElement.parse(["a; p=1", "b"]) == [first, ExtensionElement(name: "b")])
    }

    @Test(arguments: [
        "", ",", ";", "a;", "a; ;b", "a; =1", "a; b=", "a; b =1", "a; b= 1", "a b", "a; b c", "a; b=\"", "a; b=\"\"",
        "a; b=\"x", "a; b=\"x\\", "a; b=\"x\\\"", "a; b=\"x y\"", "a; b=\"x\"y", "a; b=\"x,y\"", "a=1", "\"a\"",
        "a; b=é", "a/1",
    ])
    func `a malformed list is refused`(value: String) {
        #expect(ExtensionElement.parse([value]) == nil)
    }
}
