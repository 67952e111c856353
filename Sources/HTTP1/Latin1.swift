/// Appends text as ISO 8859-1 without control characters: what came from `latin1Text` goes out as the bytes it was.
func appendLatin1(_ text: String, to bytes: inout [UInt8]) {
    let utf8 = text.utf8.span
    // Nearly all are ASCII, where a byte is a character.
    guard utf8.isASCII else {
        for scalar in text.unicodeScalars {
            let byte = UInt8(exactly: scalar.value) ?? UInt8(ascii: "?")
            bytes.append(byte.isFieldContent ? byte : .space)
        }
        return
    }
    bytes.append(addingCapacity: utf8.count) { output in
        for index in utf8.indices { output.append(utf8[index].isFieldContent ? utf8[index] : .space) }
    }
}

/// A range of bytes as text, each byte one scalar (ISO 8859-1).
func latin1Text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
    // Nearly all are ASCII, which is UTF-8 as it is.
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
