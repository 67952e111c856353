import Testing
import WebSocketProtocol

@Suite struct MaskingTests {
    static let pattern = (0..<200).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
    static let keyBytes: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]

    @Test(arguments: 0...70)
    func `masking equals a loop over bytes at every offset`(length: Int) {
        for offset in 0..<33 {
            var bytes = Self.pattern
            var expected = Self.pattern
            for index in 0..<length { expected[offset + index] ^= Self.keyBytes[index % 4] }
            var span = bytes.mutableSpan
            Masking.apply(someKey, to: &span, range: offset..<offset + length)
            #expect(bytes == expected)
        }
    }

    @Test func `an empty range is masked without effect`() {
        var bytes: [UInt8] = []
        var span = bytes.mutableSpan
        Masking.apply(someKey, to: &span, range: 0..<0)
        #expect(bytes.isEmpty)
    }

    @Test(arguments: [0, 1, 7, 8, 9, 33, 150])
    func `appended bytes are unmasked`(length: Int) {
        var bytes = Array(Self.pattern[..<length])
        var span = bytes.mutableSpan
        Masking.apply(someKey, to: &span, range: 0..<length)
        var result: [UInt8] = [1, 2, 3]
        Masking.appendXored(bytes.span, with: someKey, to: &result)
        #expect(result == [1, 2, 3] + Self.pattern[..<length])
        Masking.appendXored(bytes.span, with: nil, to: &result)
        #expect(result == [1, 2, 3] + Self.pattern[..<length] + bytes)
    }

    @Test func `a rotated key continues the payload`() {
        for split in 0...9 {
            let key = someKey.rotated(by: split)
            for index in 0..<8 { #expect(key[index] == someKey[split + index]) }
        }
        #expect(someKey.rotated(by: Int.max) == someKey.rotated(by: 3))
        #expect(someKey.rotated(by: 1).rotated(by: 3) == someKey)
        #expect((0..<4).map { someKey[$0] } == Self.keyBytes)
    }
}
