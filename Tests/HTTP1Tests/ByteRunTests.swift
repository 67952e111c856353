import Testing

@testable import HTTP1

@Suite struct ByteRunTests {
    @Test(arguments: UInt8.min...UInt8.max)
    func `a byte that is not printable ends a run wherever it stands`(_ byte: UInt8) {
        let isPrintable = (0x20...0x7E).contains(byte)
        for length in 1...40 {
            for place in 0..<length {
                var bytes = [UInt8](repeating: UInt8(ascii: "a"), count: length)
                bytes[place] = byte
                let end = bytes.span.skipPrintable(from: 0, to: length)
                #expect(end <= (isPrintable ? length : place))
                // Fewer than sixteen are left to be looked at one by one.
                #expect(end > (isPrintable ? length : place) - 16)
                #expect(bytes.span.isPrintable == isPrintable)
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
