import Testing

@testable import HTTP1

@Suite struct HTTPFieldsTests {
    @Test func `names are found in any case`() {
        let fields: HTTPFields = ["Host": "a", "X": "1", "hOST": "b"]
        #expect(fields.values("HOST") == ["a", "b"])
        #expect(fields.first("host") == "a")
        #expect(fields.first("none") == nil)
        #expect(fields.only("host") == .repeated)
        #expect(fields.only("x") == .once("1"))
        #expect(fields.only("none") == .absent)
    }

    @Test func `lists are split across fields`() {
        let fields: HTTPFields = ["Connection": "keep-alive, Upgrade", "connection": " ,X-A\t,"]
        #expect(fields.elements("Connection") == ["keep-alive", "Upgrade", "X-A"])
    }

    @Test func `a list of one element has no other`() {
        func isUpgrade(_ fields: HTTPFields) -> Bool { fields.isList("upgrade", of: "websocket") }
        #expect(isUpgrade(["Upgrade": "WebSocket"]))
        #expect(isUpgrade(["Upgrade": " , websocket ,", "Upgrade": ""]))
        #expect(!isUpgrade([:]))
        #expect(!isUpgrade(["Upgrade": ","]))
        #expect(!isUpgrade(["Upgrade": "websocket, websocket"]))
        #expect(!isUpgrade(["Upgrade": "websocket", "Upgrade": "h2c"]))
        #expect(!isUpgrade(["Upgrade": "websockets"]))
        #expect(!isUpgrade(["Upgrades": "websocket"]))
    }

    @Test func `elements keep their case and bytes`() {
        let fields: HTTPFields = ["X": "a b,, \u{E9}C\t", "Y": "d", "x": "E"]
        #expect(fields.elements("X") == ["a b", "\u{E9}C", "E"])
        #expect(fields.has("y") && !fields.has("Z"))
    }

    @Test func `fields that are set take the place of all of their names`() {
        var fields: HTTPFields = ["A": "1", "b": "2", "a": "3", "Ab": "4"]
        fields.set([:])
        #expect(fields == ["A": "1", "b": "2", "a": "3", "Ab": "4"])
        fields.set(["a": "5", "C": "6"])
        #expect(fields == ["b": "2", "Ab": "4", "a": "5", "C": "6"])
    }

    @Test func `fields of another head are appended unchanged`() {
        let others: HTTPFields = ["A": "1", "B": "\u{E9}", "C": "", "A": "2"]
        var fields: HTTPFields = ["Z": "0"]
        fields.append(others) { $0[0] != UInt8(ascii: "A") }
        #expect(fields == ["Z": "0", "B": "\u{E9}", "C": ""])
        #expect(fields.map(\.value) == ["0", "\u{E9}", ""])
        fields.append(others)
        #expect(fields.values("a") == ["1", "2"])
        #expect(fields != ["Z": "0", "B": "\u{E9}", "C": ""])
    }

    @Test func `no value can split a head`() {
        var bytes: [UInt8] = []
        var fields = HTTPFields()
        fields.append("A", "b\r\nC: d\u{20AC}")
        fields.append(HTTPFields.Field(name: "E", value: ""))
        fields.encode(into: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "A: b  C: d?\r\nE: \r\n")
    }

    @Test func `a value in UTF-8 is written byte by byte, and cannot split a head either`() {
        var fields = HTTPFields()
        fields.append("A", utf8: "Zoë 😀")
        fields.append("B", utf8: "a\r\nC: d\0\u{7F}")
        var bytes: [UInt8] = []
        fields.encode(into: &bytes)
        #expect(bytes == Array("A: Zoë 😀\r\nB: a  C: d  \r\n".utf8))
    }

    @Test func `only A to Z are put in lower case`() {
        #expect("ÄBC-ß".asciiLowercased == "Äbc-ß")
        #expect("Host".equalsIgnoringCase("hOST"))
        #expect(!"Host".equalsIgnoringCase("Hos"))
        #expect(!"[".equalsIgnoringCase("{"))
    }

    @Test func `every byte is in the right character classes`() {
        let tokens = (UInt8.min...UInt8.max).filter(\.isToken).map { Character(UnicodeScalar($0)) }
        #expect(String(tokens) == "!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~")
        #expect((UInt8.min...UInt8.max).filter(\.isVisible) == Array(0x21...0x7E))
        #expect((UInt8.min...UInt8.max).filter(\.isFieldContent) == [9] + Array(0x20...0x7E) + Array(0x80...0xFF))
        #expect("09afAFgG:".utf8.map(\.hexadecimalValue) == [0, 9, 10, 15, 10, 15, nil, nil, nil])
    }
}
