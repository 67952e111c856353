import Testing
import WebSocketProtocol

@Suite struct HeaderTokensTests {
    @Test(
        arguments: [
            (["keep-alive, Upgrade"], ["keep-alive", "Upgrade"]), (["a", "b ,c"], ["a", "b", "c"]),
            ([" \ta\t ,, ,b,"], ["a", "b"]), (["h2c, HTTP/2.0"], ["h2c", "HTTP/2.0"]),
            (["!#$%&'*+-.^_`|~"], ["!#$%&'*+-.^_`|~"]),
        ] as [([String], [String])])
    func `lists are read in order`(values: [String], expected: [String]) {
        #expect(HeaderTokens.parse(values) == expected)
    }

    @Test(
        arguments: [
            [], [""], [",, "], ["a b"], ["a;b"], ["a/"], ["/a"], ["a/b/c"], ["\"a\""], ["é"], ["a\u{0}"], ["a, b c"],
            ["ok", "@"],
        ] as [[String]])
    func `a malformed list is refused`(values: [String]) {
        #expect(HeaderTokens.parse(values) == nil)
        #expect(!HeaderTokens.contains("a", in: values))
    }

    @Test func `tokens are found in any case`() {
        #expect(HeaderTokens.contains("websocket", in: ["WebSocket"]))
        #expect(HeaderTokens.contains("upgrade", in: ["keep-alive", "UPGRADE"]))
        #expect(!HeaderTokens.contains("websocket", in: ["websocket2, xwebsocket, websocket/13"]))
        #expect(!HeaderTokens.contains("[", in: ["{"]))
    }

    @Test func `subprotocols are distinct tokens`() {
        #expect(HeaderTokens.subprotocols(["chat.v2, chat.v1", "mqtt"]) == ["chat.v2", "chat.v1", "mqtt"])
        #expect(HeaderTokens.subprotocols(["chat, Chat"]) == ["chat", "Chat"])
        #expect(HeaderTokens.subprotocols(["chat, soap, chat"]) == nil)
        #expect(HeaderTokens.subprotocols(["chat", "chat"]) == nil)
        #expect(HeaderTokens.subprotocols([""]) == nil)
        #expect(HeaderTokens.subprotocols(["a/b"]) == nil)
        #expect(HeaderTokens.subprotocols(["a b"]) == nil)
    }

    @Test func `a long list is read in one pass`() {
        let names = (0..<4000).map { "p\($0)" }
        #expect(HeaderTokens.subprotocols([names.joined(separator: ",")]) == names)
        #expect(HeaderTokens.subprotocols([String(repeating: ",", count: 100_000) + "a"]) == ["a"])
    }
}
