import TestSupport
import Testing
import WebSocketProtocol

@Suite struct UTF8ValidatorTests {
    static let valid = [
        "", "a", "Hello-µ@ßöäüàá-UTF-8!!", "κόσμε", "𐍈 and 😀, then ASCII for longer than a word",
        "\u{0}\u{7F}\u{80}\u{7FF}",
        "\u{800}\u{D7FF}\u{E000}\u{FFFD}\u{FFFF}", "\u{10000}\u{10FFFF}",
        String(repeating: "0123456789", count: 9) + "é",
    ]

    /// Invalid bytes, and how many of them still begin a character.
    static let invalid: [(bytes: [UInt8], good: Int)] = [
        ([0x80], 0), ([0xBF], 0), ([0xC0, 0xAF], 0), ([0xC1, 0xBF], 0), ([0xF5, 0x80], 0), ([0xFE], 0), ([0xFF], 0),
        ([0xC2, 0x41], 1), ([0xC3, 0xC3], 1), ([0xE0, 0x9F, 0xBF], 1), ([0xE0, 0x80, 0x80], 1),
        ([0xED, 0xA0, 0x80], 1), ([0xED, 0xBF, 0xBF], 1), ([0xE1, 0x80, 0x41], 2), ([0xEF, 0xBF, 0xC0], 2),
        ([0xF0, 0x8F, 0xBF, 0xBF], 1), ([0xF4, 0x90, 0x80, 0x80], 1), ([0xF1, 0x80, 0x80, 0x7F], 3),
        ([0xF0, 0x90, 0x41], 2),
    ]

    @Test(arguments: valid)
    func `text is valid however it is cut`(text: String) {
        let bytes = Array(text.utf8)
        for pieces in cuts(of: bytes) {
            var validator = UTF8Validator()
            for piece in pieces { #expect(validator.consume(Array(piece).span) == true) }
            #expect(validator.isComplete)
        }
        for end in bytes.indices {
            let prefix = Array(bytes[..<end])
            let (length, isInvalid) = UTF8Validator.validPrefix(of: prefix.span)
            #expect(!isInvalid)
            #expect(prefix.count - length <= 3)
            #expect(String(validating: prefix[..<length], as: UTF8.self) != nil)
            var validator = UTF8Validator()
            #expect(validator.consume(prefix.span) == true)
            #expect(validator.isComplete == (length == end))
        }
    }

    @Test(arguments: invalid)
    func `validation fails at the first byte that cannot continue`(bytes: [UInt8], good: Int) {
        for before in ["", "a", "1234567", "12345678", "é56789012345678901234"] {
            let whole = Array(before.utf8) + bytes
            var validator = UTF8Validator()
            for (index, byte) in whole.enumerated() {
                let isGood = validator.consume([byte].span)
                #expect(isGood == (index < before.utf8.count + good))
                guard isGood else { break }
            }
            for split in whole.indices {
                var validator = UTF8Validator()
                #expect(
                    !(validator.consume(Array(whole[..<split]).span) && validator.consume(Array(whole[split...]).span)))
            }
            let (length, isInvalid) = UTF8Validator.validPrefix(of: whole.span)
            #expect(length == before.utf8.count)
            #expect(isInvalid)
        }
    }

    @Test func `the validator agrees with the standard library on all pairs and on random bytes`() {
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max { self.compare([first, second]) }
        }
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<4000 {
            // Mostly lead and continuation bytes near the borders, among ASCII.
            let interesting: [UInt8] = [
                0x41, 0x42, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC2, 0xDF, 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF3, 0xF4,
            ]
            let count = Int.random(in: 0...5, using: &generator)
            let padding = [UInt8](repeating: 0x20, count: Int.random(in: 0...17, using: &generator))
            self.compare(padding + (0..<count).map { _ in interesting.randomElement(using: &generator) ?? 0 })
        }
    }

    private func compare(_ bytes: [UInt8]) {
        let expected = String(validating: bytes, as: UTF8.self) != nil
        var validator = UTF8Validator()
        let isText = validator.consume(bytes.span) && validator.isComplete
        #expect(isText == expected, "\(bytes)")
    }

    @Test func `masked bytes are validated unmasked`() {
        for text in Self.valid {
            var bytes = Array(text.utf8)
            var span = bytes.mutableSpan
            Masking.apply(someKey, to: &span, range: span.indices)
            for split in 0...bytes.count {
                var validator = UTF8Validator()
                #expect(validator.consume(Array(bytes[..<split]).span, maskingKey: someKey) == true)
                #expect(validator.consume(Array(bytes[split...]).span, maskingKey: someKey.rotated(by: split)) == true)
                #expect(validator.isComplete)
            }
        }
        var validator = UTF8Validator()
        #expect(validator.consume([0x37, 0x7A].span, maskingKey: someKey) == false)
    }

    // MARK: - Repair

    /// Swift's own decoding follows the same rule of the Unicode standard.
    private func expectRepaired(_ bytes: [UInt8]) {
        let (text, rest) = UTF8Validator.repair(bytes.span)
        #expect(rest.count <= 3)
        #expect(Array(bytes.suffix(rest.count)) == rest)
        let expected = Array(String(decoding: bytes.dropLast(rest.count), as: UTF8.self).utf8)
        #expect(text == expected, "\(bytes)")
    }

    @Test func `each maximal invalid part becomes one replacement character`() {
        // Unicode section 3.9, tables 3-8 to 3-11.
        let rows: [([UInt8], String)] = [
            ([0xC0, 0xAF, 0xE0, 0x80, 0xBF, 0xF0, 0x81, 0x82, 0x41], "????????A"),
            ([0xED, 0xA0, 0x80, 0xED, 0xBF, 0xBF, 0xED, 0xAF, 0x41], "????????A"),
            ([0xF4, 0x91, 0x92, 0x93, 0xFF, 0x41, 0x80, 0xBF, 0x42], "?????A??B"),
            ([0xE1, 0x80, 0xE2, 0xF0, 0x91, 0x92, 0xF1, 0xBF, 0x41], "????A"),
        ]
        for (bytes, expected) in rows {
            let text = expected.replacing("?", with: "\u{FFFD}")
            #expect(UTF8Validator.repair(bytes.span).text == Array(text.utf8))
            self.expectRepaired(bytes)
        }
    }

    @Test func `the beginning of a character waits for the rest`() {
        let bytes: [UInt8] = [0xFF, 0x61, 0xF0, 0x9F, 0x98]
        let (text, rest) = UTF8Validator.repair(bytes.span)
        #expect(text == Array("\u{FFFD}a".utf8))
        #expect(rest == [0xF0, 0x9F, 0x98])
    }

    @Test func `random bytes become valid text`() {
        var generator = SeededGenerator(seed: 9)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...12, using: &generator)
            let padding = [UInt8](repeating: 0x20, count: Int.random(in: 0...17, using: &generator))
            self.expectRepaired(padding + (0..<count).map { _ in .random(in: 0x60...255, using: &generator) })
        }
    }
}
