/// The character classes of RFC 9110 section 5.6 and RFC 5234 appendix B.1, on bytes.
extension UInt8 {
    /// `HTAB`.
    @inlinable public static var tab: UInt8 { UInt8(ascii: "\t") }
    /// `LF`, the second byte of CRLF.
    @inlinable public static var lineFeed: UInt8 { UInt8(ascii: "\n") }
    /// `CR`, the first byte of CRLF.
    @inlinable public static var carriageReturn: UInt8 { UInt8(ascii: "\r") }
    /// `SP`.
    @inlinable public static var space: UInt8 { UInt8(ascii: " ") }

    /// `DIGIT`.
    @inlinable public var isDigit: Bool { self >= 0x30 && self <= 0x39 }

    /// `ALPHA`.
    @inlinable public var isLetter: Bool { (self | 0x20) >= 0x61 && (self | 0x20) <= 0x7A }

    /// `tchar`: a character of a method or a field name (RFC 9110 section 5.6.2).
    @inlinable public var isToken: Bool {
        // A bit for each character: digits and "!#$%&'*+-." below 64, letters and "^_`|~" above.
        let members: UInt64 = self < 64 ? 0x03FF_6CFA_0000_0000 : 0x57FF_FFFF_C7FF_FFFE
        return self < 128 && members >> UInt64(self & 63) & 1 == 1
    }

    /// `VCHAR`: printable US-ASCII, without the space.
    @inlinable public var isVisible: Bool { self > 0x20 && self < 0x7F }

    /// `VCHAR`, `obs-text`, space or tab: a character of a field value or a reason phrase (RFC 9110 section 5.5).
    @inlinable public var isFieldContent: Bool { self >= 0x20 && self != 0x7F || self == .tab }

    /// Part of `OWS`, optional whitespace.
    @inlinable public var isWhitespace: Bool { self == .space || self == .tab }

    /// The value of a hexadecimal digit, in either case.
    public var hexadecimalValue: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x41...0x46: self - 0x41 + 10
        case 0x61...0x66: self - 0x61 + 10
        default: nil
        }
    }

    /// The same byte, with A to Z in lower case.
    @inlinable public var asciiLowercased: UInt8 { self >= 0x41 && self <= 0x5A ? self | 0x20 : self }
}

extension Span<UInt8> {
    /// Whether both are equal, A to Z in any case, as names of fields and hosts are compared.
    public func equalsIgnoringCase(_ other: Span<UInt8>) -> Bool {
        guard self.count == other.count else { return false }
        for index in self.indices where self[index] != other[index] {
            guard self[index].asciiLowercased == other[index].asciiLowercased else { return false }
        }
        return true
    }

    /// Whether all bytes are `VCHAR`.
    public var isVisible: Bool {
        for index in self.indices where !self[index].isVisible { return false }
        return true
    }

    /// Where `byte` occurs first.
    public func firstIndex(of byte: UInt8) -> Int? {
        for index in self.indices where self[index] == byte { return index }
        return nil
    }

    /// Whether no byte is above 127.
    var isASCII: Bool {
        var all: UInt8 = 0
        for index in self.indices { all |= self[index] }
        return all < 0x80
    }

    /// `range` without the whitespace at its ends.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, self[start].isWhitespace { start += 1 }
        while end > start, self[end - 1].isWhitespace { end -= 1 }
        return start..<end
    }
}

extension StringProtocol {
    /// The same text with A to Z in lower case.
    public var asciiLowercased: String {
        var bytes = Array(self.utf8)
        for index in bytes.indices { bytes[index] = bytes[index].asciiLowercased }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether both are equal, A to Z in any case.
    public func equalsIgnoringCase(_ other: some StringProtocol) -> Bool {
        self.utf8.count == other.utf8.count
            && self.utf8.elementsEqual(other.utf8) { $0.asciiLowercased == $1.asciiLowercased }
    }
}
