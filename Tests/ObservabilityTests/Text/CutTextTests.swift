import Testing

@testable import Observability

@Suite struct CutTextTests {
    @Test(arguments: ["", "short", String(repeating: "x", count: 512), String(repeating: "é", count: 256)])
    func `a text that fits is whole`(text: String) {
        #expect(text.cut == text)
    }

    /// Characters of one to four bytes, at each place where the end can be.
    @Test(arguments: ["x", "é", "€", "😀", "e\u{301}", "\u{0}", "\r\n"], 0..<6)
    func `no scalar is split`(character: String, shift: Int) throws {
        let text = String(repeating: "-", count: shift) + String(repeating: character, count: 600)
        let cut = text.cut
        #expect(cut.unicodeScalars.last == "…")
        let kept = cut.unicodeScalars.dropLast()
        #expect(text.unicodeScalars.starts(with: kept))
        let bytes = String(String.UnicodeScalarView(kept)).utf8.count
        #expect(bytes <= 512)
        #expect(bytes > 512 - 4)
        #expect(cut.cut == cut)
    }
}
