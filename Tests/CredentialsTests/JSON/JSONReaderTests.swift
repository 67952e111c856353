import Testing

@testable import Credentials

struct JSONReaderTests {
    private static func read(_ text: String, most: Int = 1000) throws(JSONReader.Mistake) -> JSONObject {
        try JSONReader.object(Array(text.utf8), most: most)
    }

    private static func object(_ members: (String, JSONValue)...) -> JSONObject {
        JSONObject(members: members.map { JSONObject.Member(name: $0.0, value: $0.1) })
    }

    @Test func `all kinds of values are read, with whitespace between them`() throws {
        let text =
            " {\"a\" : [ 1 , -2.50e+3,0 ] ,\r\n\t\"b\":{\"c\":null},\"d\":true,\"e\":false,\"f\":\"x\",\"g\":{},\"h\":[]} "
        #expect(
            try Self.read(text)
                == Self.object(
                    ("a", .array([.number("1"), .number("-2.50e+3"), .number("0")])),
                    ("b", .object(Self.object(("c", .null)))), ("d", .boolean(true)), ("e", .boolean(false)),
                    ("f", .string("x")), ("g", .object(Self.object())), ("h", .array([]))))
    }

    @Test func `escapes stand for their characters`() throws {
        let object = try Self.read(#"{"\u0061":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"}"#)
        #expect(object["a"] == .string("\"\\/\u{8}\u{C}\n\r\té😀"))
    }

    @Test(arguments: [
        #"{"a":1,"a":2}"#, #"{"a":1,"\u0061":2}"#, #"{"x":{"a":1,"b":2,"a":1}}"#, #"{"x":[{"":1,"":1}]}"#,
    ])
    func `two members of the same name are refused, however they are written`(text: String) {
        let mistake = #expect(throws: JSONReader.Mistake.self) { try Self.read(text) }
        #expect(mistake?.problem == "has two members with the same name")
    }

    @Test func `names that only look the same are two names`() throws {
        let object = try Self.read("{\"\u{E9}\":1,\"e\u{301}\":2}")
        #expect(object["\u{E9}"] == .number("1"))
        #expect(object["e\u{301}"] == .number("2"))
        #expect(object.members.count == 2)
    }

    @Test(arguments: [
        "", " ", "[]", "1", "null", "{", "}", "{}x", "{} {}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{a:1}",
        "{'a':1}",
        "{\"a\":01}", "{\"a\":+1}", "{\"a\":.5}", "{\"a\":1.}", "{\"a\":1e}", "{\"a\":-}", "{\"a\":1 2}", "{\"a\":NaN}",
        "{\"a\":Infinity}", "{\"a\":tru}", "{\"a\":nul", "{\"a\":[1,]}", "{\"a\":[1", "{\"a\":\"x", "{\"a\":\"\u{1}\"}",
        "{\"a\":\"\n\"}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\\ud800\\u0041\"}",
        "{\"a\":\"\\udc00\"}", "{\"a\":1}\0", "\u{FEFF}{}", "{/**/}", "{\"a\":\"\\", "{\"a\":\"\\u",
    ])
    func `what is no JSON object is refused`(text: String) {
        #expect(throws: JSONReader.Mistake.self) { try Self.read(text) }
    }

    @Test func `bytes that are not UTF-8 are refused`() {
        #expect(throws: JSONReader.Mistake(problem: "is not UTF-8", offset: 0)) {
            try JSONReader.object(Array("{\"a\":\"".utf8) + [0xC0, 0x80] + Array("\"}".utf8), most: 100)
        }
    }

    @Test func `depth and size are bounded`() throws {
        func nested(_ levels: Int) -> String {
            "{\"a\":" + String(repeating: "[", count: levels - 1) + String(repeating: "]", count: levels - 1) + "}"
        }
        _ = try Self.read(nested(32))
        #expect(throws: JSONReader.Mistake.self) { try Self.read(nested(33)) }
        #expect(throws: JSONReader.Mistake.self) { try Self.read(nested(200_000), most: 1_000_000) }
        _ = try Self.read("{}", most: 2)
        #expect(throws: JSONReader.Mistake(problem: "has more than 2 bytes", offset: 2)) {
            try Self.read("{} ", most: 2)
        }
    }
}
