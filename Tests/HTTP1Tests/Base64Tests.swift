import HTTP1
import Testing

struct Base64Tests {
    /// RFC 4648 section 10.
    private static let examples = [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ]

    @Test(arguments: examples)
    func `texts of the standard are encoded and decoded`(text: String, encoded: String) {
        #expect(Base64.encoded(Array(text.utf8).span) == encoded)
        #expect(Base64.decoded(encoded.utf8, .standard) == Array(text.utf8))
        #expect(Base64.decoded(encoded.utf8.filter { $0 != UInt8(ascii: "=") }, .url) == Array(text.utf8))
    }

    @Test func `each alphabet has its own last two characters`() {
        #expect(Base64.decoded("+/+/".utf8, .standard) == [0xFB, 0xFF, 0xBF])
        #expect(Base64.decoded("-_-_".utf8, .url) == [0xFB, 0xFF, 0xBF])
        #expect(Base64.decoded("-_-_".utf8, .standard) == nil)
        #expect(Base64.decoded("+/+/".utf8, .url) == nil)
    }

    @Test(arguments: [
        "Z", "Zg", "Zg=", "Zg===", "Zm8", "Zm8==", "Zm9v=", "====", "=", "Zg==Zg==", "Zm9v ", " Zm9v", "Zm\n9v",
        "Zm9vé",
        "Zh==", "Zm9=", "Zm9vYmF", "Zg=\0",
    ])
    func `padding that is wrong, other characters and stray bits are refused`(text: String) {
        #expect(Base64.decoded(text.utf8, .standard) == nil)
    }

    @Test(arguments: ["Z", "Zh", "Zm9", "Zg==", "Zm8=", "Zm9vY", "Zm9v=", "Zm 9v"])
    func `without padding likewise`(text: String) {
        #expect(Base64.decoded(text.utf8, .url) == nil)
    }

    @Test func `every text that is decoded is the one that is encoded`() {
        let characters = Array("ABgw4/+=".utf8)
        for number in 0..<4096 {
            let text = (0..<4).map { characters[number >> ($0 * 3) & 7] }
            guard let bytes = Base64.decoded(text, .standard) else { continue }
            #expect(Array(Base64.encoded(bytes.span).utf8) == text)
        }
    }
}
