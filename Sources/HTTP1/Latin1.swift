/// The bytes of a text in ISO 8859-1, the inverse of `latin1Text`. Other characters become question marks.
func latin1Bytes(_ text: String) -> [UInt8] {
    // Nearly all texts are ASCII, where each byte is a character.
    if text.utf8.span.isASCII { return Array(text.utf8) }
    return text.unicodeScalars.map { UInt8(exactly: $0.value) ?? UInt8(ascii: "?") }
}

/// A range of bytes as text: each byte is one scalar (ISO 8859-1).
func latin1Text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
    // Nearly all texts are ASCII, which is UTF-8 already.
    if let ascii = try? UTF8Span(validating: bytes.extracting(range)), ascii.isKnownASCII {
        return String(copying: ascii)
    }
    var utf8: [UInt8] = []
    utf8.reserveCapacity(range.count)
    for index in range {
        let byte = bytes[index]
        if byte < 0x80 {
            utf8.append(byte)
        } else {
            utf8.append(0xC0 | byte >> 6)
            utf8.append(0x80 | byte & 0x3F)
        }
    }
    return String(decoding: utf8, as: UTF8.self)
}

/// US-ASCII as text.
public func asciiText(_ bytes: Span<UInt8>) -> String { latin1Text(bytes, bytes.indices) }
