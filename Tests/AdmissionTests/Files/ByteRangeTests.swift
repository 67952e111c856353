import Testing

@testable import Admission

@Suite struct ByteRangeTests {
    @Test(
        arguments: [
            ("bytes=0-0", .from(0, to: 0)), ("bytes=5-", .from(5, to: nil)), ("BYTES=2-9", .from(2, to: 9)),
            ("bytes=-5", .last(5)),
            ("bytes=0-99999999999999999999", .from(0, to: .max)), ("bytes=-0", .last(0)),
            ("bytes=", nil), ("bytes=-", nil), ("bytes=a-", nil), ("bytes=3-2", nil), ("bytes=0-1,3-4", nil),
            ("bytes=0-1-2", nil),
            ("bytes=+1-2", nil), ("bytes 0-1", nil), ("lines=0-1", nil), ("0-1", nil), ("bytes= 0-1", nil),
            ("bytes=--1", nil),
        ] as [(String, ByteRange?)])
    func `one range of bytes is read, and all else is ignored`(text: String, expected: ByteRange?) {
        #expect(ByteRange(text) == expected)
    }

    @Test(
        arguments: [
            (.from(0, to: 0), 10, 0..<1), (.from(9, to: nil), 10, 9..<10), (.from(3, to: .max), 10, 3..<10),
            (.from(0, to: 9), 10, 0..<10), (.from(10, to: nil), 10, nil), (.from(.max, to: .max), 10, nil),
            (.last(3), 10, 7..<10),
            (.last(.max), 10, 0..<10), (.last(0), 10, nil), (.last(1), 0, nil), (.from(0, to: nil), 0, nil),
        ] as [(ByteRange, Int, Range<Int>?)])
    func `a range has bytes of the file, or none`(range: ByteRange, size: Int, expected: Range<Int>?) {
        #expect(range.resolved(in: size) == expected)
    }
}
