import Configuration
import HTTP1
import Testing

@testable import Credentials

struct TokenSearchTests {
    private static func find(
        _ places: [TokenPlace], _ fields: HTTPFields = [:], target: String = "/"
    ) -> TokenSearch.Finding {
        TokenSearch(places).token(fields: fields, target: target)
    }

    @Test(arguments: ["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c"])
    func `a token is in the field Authorization`(value: String) {
        #expect(Self.find([.header], ["Authorization": value]) == .token("a.b.c", .header))
    }

    @Test(arguments: ["Basic YTpi", "Bearerx a", "Bear a", ""])
    func `a field of another scheme is no token`(value: String) {
        #expect(Self.find([.header], ["Authorization": value]) == .absent)
    }

    @Test func `a field without a token is refused`() {
        let refused = TokenSearch.Finding.refused(.malformed("the field Authorization has no token"))
        #expect(Self.find([.header], ["Authorization": "Bearer"]) == refused)
        #expect(Self.find([.header], ["Authorization": "Bearer  "]) == refused)
    }

    @Test func `a token is in a cookie`() {
        let place = TokenPlace.cookie("session")
        #expect(Self.find([place], ["Cookie": "a=1; session=t; b=2"]) == .token("t", place))
        #expect(Self.find([place], ["Cookie": "Session=t; session="]) == .absent)
        #expect(Self.find([place]) == .absent)
    }

    @Test func `a token is in the query, decoded`() {
        let place = TokenPlace.query("token")
        #expect(Self.find([place], target: "/a?x=1&token=a.b%2Ec") == .token("a.b.c", place))
        #expect(Self.find([place], target: "/a?%74oken=t") == .token("t", place))
        #expect(Self.find([place], target: "/token=t") == .absent)
        #expect(Self.find([place], target: "/a?Token=t&token=&token") == .absent)
    }

    @Test(arguments: [
        "bearer.a.b.c", "Bearer.a.b.c", "bearer, a.b.c", "chat, bearer, a.b.c, other", "bearer.a.b.c, chat",
        "base64url.bearer.authorization.k8s.io.YS5iLmM, chat",
    ])
    func `a token is among the subprotocols, in any of its forms`(offers: String) {
        #expect(
            Self.find([.subprotocol], ["Sec-WebSocket-Protocol": offers]) == .token("a.b.c", .subprotocol))
    }

    @Test(arguments: ["chat", "bearer", "chat, bearer", "xbearer.a", "authorization.k8s.io.YQ"])
    func `other subprotocols are no tokens`(offers: String) {
        #expect(Self.find([.subprotocol], ["Sec-WebSocket-Protocol": offers]) == .absent)
    }

    @Test(arguments: [
        "base64url.bearer.authorization.k8s.io.YQ==", "base64url.bearer.authorization.k8s.io.!",
        "base64url.bearer.authorization.k8s.io._w", "base64url.bearer.authorization.k8s.io.", "bearer.",
    ])
    func `a subprotocol with a token that cannot be read is refused`(offer: String) {
        // The fourth is a byte that is not UTF-8.
        #expect(
            Self.find([.subprotocol], ["Sec-WebSocket-Protocol": offer])
                == .refused(.malformed("the subprotocol with the token cannot be read")))
    }

    @Test func `of several tokens in one place none counts, unless they are the same`() {
        func refused(_ place: String) -> TokenSearch.Finding {
            .refused(.malformed("there are several tokens in \(place)"))
        }
        #expect(
            Self.find([.header], ["Authorization": "Bearer a", "authorization": "Bearer b"]) == refused("header"))
        #expect(Self.find([.cookie("s")], ["Cookie": "s=a; s=b"]) == refused("cookie:s"))
        #expect(Self.find([.cookie("s")], ["Cookie": "s=a; s="]) == refused("cookie:s"))
        #expect(Self.find([.query("t")], target: "/?t=a&%74=b") == refused("query:t"))
        #expect(
            Self.find([.subprotocol], ["Sec-WebSocket-Protocol": "bearer.a, bearer, b"]) == refused("subprotocol"))
        #expect(Self.find([.cookie("s")], ["Cookie": "s=a; s=a"]) == .token("a", .cookie("s")))
    }

    @Test func `the first place that has a token decides, even if a later one has another`() {
        let fields: HTTPFields = ["Cookie": "s=a", "Authorization": "Bearer b"]
        #expect(Self.find([.header, .cookie("s")], fields) == .token("b", .header))
        #expect(Self.find([.cookie("s"), .header], fields) == .token("a", .cookie("s")))
        #expect(Self.find([.query("t"), .cookie("s")], fields) == .token("a", .cookie("s")))
        #expect(Self.find([], fields) == .absent)
    }

    @Test(arguments: [
        ("/a?token=t", "/a"), ("/a?x=1&token=t&y=%20", "/a?x=1&y=%20"), ("/a?token=t&token=u", "/a"),
        ("/a?%74oke%6E=t&x", "/a?x"), ("/a?x=token", "/a?x=token"), ("/a", "/a"), ("/a?", "/a?"), ("/a?&&", "/a?&&"),
        ("http://h/a?token=t", "http://h/a"), ("/a?x=?token=t", "/a?x=?token=t"), ("/a?token", "/a"),
        ("/a?access=t&x=1", "/a?x=1"),
    ])
    func `the parameter is taken out of the URL, and nothing else changes`(target: String, cleaned: String) {
        let search = TokenSearch([.header, .query("token"), .query("access")])
        #expect(search.cleaned(target: target) == cleaned)
        #expect(TokenSearch([.header]).cleaned(target: target) == target)
    }

    @Test func `subprotocols are looked at only where tokens may be there`() {
        #expect(TokenSearch([.header, .subprotocol]).looksAtSubprotocols)
        #expect(!TokenSearch([.header, .query("a")]).looksAtSubprotocols)
    }
}
