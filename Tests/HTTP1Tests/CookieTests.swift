import Testing

@testable import HTTP1

@Suite struct CookieTests {
    @Test func `cookies are found in every field and with their case`() {
        let fields: HTTPFields = [
            "Cookie": "a=1; b=2;c=3 ;; a = \"4\"", "X": "a=9", "cookie": "a=; A=5; a;=6; aa=7; b=x=y",
        ]
        #expect(fields.cookies("a") == ["1", "\"4\"", ""])
        #expect(fields.cookies("A") == ["5"])
        #expect(fields.cookies("b") == ["2", "x=y"])
        #expect(fields.cookies("c") == ["3"])
        #expect(fields.cookies("x") == [])
        #expect(HTTPFields().cookies("a") == [])
    }

    /// Cookie fields, and what is left of them without the cookie `s`.
    @Test(arguments: [
        (["a=1; s=2; b=3"], ["a=1; b=3"]), (["s=2"], []), (["s=1;s=2 ; s=3"], []), (["s=2;a=1"], ["a=1"]),
        (["a=1;s=2"], ["a=1"]), (["a=1;  b=\"2 3\" ;s=2;c"], ["a=1; b=\"2 3\"; c"]), ([" s = 2; a"], ["a"]),
        // What does not have the cookie stays to the byte.
        (["a=1;b=2;;  c ;S=1; ss=2; s"], ["a=1;b=2;;  c ;S=1; ss=2; s"]), (["a=s=2"], ["a=s=2"]), ([], []),
        (["a=1;b=2", "s=1", "c=3;s=2"], ["a=1;b=2", "c=3"]), (["x=\u{E9}\u{FF}; s=1"], ["x=\u{E9}\u{FF}"]),
    ])
    func `a cookie is taken out and the others stay in order`(_ cookies: [String], _ expected: [String]) {
        var fields: HTTPFields = ["Host": "h", "X-Cookie": "s=1"]
        for cookie in cookies { fields.append("cOOkie", cookie) }
        fields.append("Accept", "s=1")
        let kept = fields.removing(cookie: "s")
        #expect(kept.values("Cookie") == expected)
        #expect(kept.values("X-Cookie") == ["s=1"])
        #expect(kept.first?.name == "Host")
        #expect(kept.last?.name == "Accept")
        #expect(kept.count == expected.count + 3)
    }
}
