import Testing

@testable import HTTP1

@Suite struct ByteRunTests {
    @Test(arguments: UInt8.min...UInt8.max)
    func `a byte that is not of the kind ends a run wherever it stands`(_ byte: UInt8) {
        for length in 1...26 {
            for place in 0..<length {
                // `-,` and `-.` differ from `--` by one bit each.
                for other in [UInt8(ascii: "a"), UInt8(ascii: "-"), UInt8(ascii: "Z")] {
                    var bytes = [UInt8](repeating: other, count: length)
                    bytes[place] = byte
                    #expect(bytes.span.skipToken(from: 0, to: length) == (byte.isToken ? length : place))
                    #expect(bytes.span.skipFieldContent(from: 0, to: length) == (byte.isFieldContent ? length : place))
                    #expect(bytes.span.isPrintable == (0x20...0x7E).contains(byte))
                }
            }
        }
    }

    @Test func `a run begins and ends where it is asked for`() {
        let bytes = Array("\r\nContent-Length:0123456789 abcdef\tghi\r\n".utf8)
        for start in 2...16 {
            for end in start...16 {
                #expect(bytes.span.skipToken(from: start, to: end) == end)
            }
            #expect(bytes.span.skipToken(from: start, to: bytes.count) == 16)
        }
        let valueEnd = bytes.count - 2
        for start in 16...valueEnd {
            for end in start...valueEnd { #expect(bytes.span.skipFieldContent(from: start, to: end) == end) }
            #expect(bytes.span.skipFieldContent(from: start, to: bytes.count) == valueEnd)
        }
    }

    @Test func `a byte beside one that ends a run is seen for what it is`() {
        // Sums that carried would take these for others.
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max {
                let bytes = [UInt8](repeating: UInt8(ascii: "x"), count: 3) + [first, second] + Array("xxxxx".utf8)
                let token = first.isToken ? (second.isToken ? 10 : 4) : 3
                #expect(bytes.span.skipToken(from: 0, to: 10) == token)
                let content = first.isFieldContent ? (second.isFieldContent ? 10 : 4) : 3
                #expect(bytes.span.skipFieldContent(from: 0, to: 10) == content)
            }
        }
    }

    @Test(arguments: UInt8.min...UInt8.max)
    func `a token has letters, digits and fifteen others`(_ byte: UInt8) {
        let characters = Unicode.Scalar(byte).isASCII ? String(Unicode.Scalar(byte)) : ""
        let isAlphanumeric = characters.utf8.contains { $0.isLetter || $0.isDigit }
        #expect(byte.isToken == (isAlphanumeric || "!#$%&'*+-.^_`|~".utf8.contains(byte)))
    }
}
