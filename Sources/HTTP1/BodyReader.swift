/// Takes the body of a response apart (RFC 9112 section 6): Content-Length, chunked, or until the end of the connection.
///
/// For the few bytes with which a backend says why it refuses: more than `limit` is cut off, not waited for.
package struct BodyReader: Sendable {
    package enum Result: Equatable, Sendable {
        case incomplete
        case whole([UInt8])
        case invalid(HeadError)
    }

    private enum Framing: Sendable {
        case length(Int)
        case chunked
        case untilEnd
    }

    private let framing: Framing
    private let limit: Int

    /// - Parameters:
    ///   - head: of the response whose body this is.
    ///   - limit: the most bytes that are kept.
    /// - Throws: where the head says two things about the body, as smuggled responses do.
    package init(_ head: ResponseHead, limit: Int) throws(HeadError) {
        self.limit = limit
        let codings = head.fields.members("transfer-encoding").map(\.asciiLowercased)
        let lengths = Set(head.fields.members("content-length"))
        if head.status == 204 || head.status == 304 || head.status < 200 {
            self.framing = .length(0)
        } else if !codings.isEmpty {
            guard codings == ["chunked"], lengths.isEmpty else { throw .malformed("Transfer-Encoding is not just chunked") }
            self.framing = .chunked
        } else if let text = lengths.first {
            guard lengths.count == 1, !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
                throw .malformed("Content-Length is not one number")
            }
            self.framing = .length(Int(text) ?? .max)
        } else {
            self.framing = .untilEnd
        }
    }

    /// - Parameters:
    ///   - bytes: all that has come behind the head so far.
    ///   - atEnd: nothing more will come.
    package func read(_ bytes: Span<UInt8>, atEnd: Bool) -> Result {
        switch self.framing {
        case .length(let length):
            let wanted = min(length, self.limit)
            if bytes.count >= wanted { return .whole(Self.copy(bytes, 0..<wanted)) }
            return atEnd ? .invalid(.malformed("the body ends too early")) : .incomplete
        case .untilEnd:
            guard atEnd || bytes.count >= self.limit else { return .incomplete }
            return .whole(Self.copy(bytes, 0..<min(bytes.count, self.limit)))
        case .chunked: return self.readChunks(bytes, atEnd: atEnd)
        }
    }

    /// RFC 9112 section 7.1; chunk extensions and trailers are skipped.
    private func readChunks(_ bytes: Span<UInt8>, atEnd: Bool) -> Result {
        var body: [UInt8] = []
        var position = 0
        while true {
            guard let lineEnd = Self.endOfLine(bytes, from: position) else { break }
            guard let size = Self.chunkSize(bytes, position..<lineEnd) else { return .invalid(.malformed("a bad chunk size")) }
            if size == 0 { return .whole(body) }
            let start = lineEnd + 2
            let available = bytes.count - start
            if body.count + min(size, available) >= self.limit {
                return .whole(body + Self.copy(bytes, start..<(start + self.limit - body.count)))
            }
            guard available >= size + 2 else { break }
            body += Self.copy(bytes, start..<(start + size))
            guard bytes[start + size] == 0x0D, bytes[start + size + 1] == 0x0A else {
                return .invalid(.malformed("a chunk does not end where it says"))
            }
            position = start + size + 2
        }
        if atEnd { return .invalid(.malformed("the body ends too early")) }
        return bytes.count - position > self.limit + 1024 ? .invalid(.malformed("a chunk line without end")) : .incomplete
    }

    private static func endOfLine(_ bytes: Span<UInt8>, from start: Int) -> Int? {
        var index = start
        while index + 1 < bytes.count {
            if bytes[index] == 0x0D, bytes[index + 1] == 0x0A { return index }
            index += 1
        }
        return nil
    }

    private static func chunkSize(_ bytes: Span<UInt8>, _ line: Range<Int>) -> Int? {
        var size = 0
        var digits = 0
        for index in line {
            guard let digit = Character(UnicodeScalar(bytes[index])).hexDigitValue, bytes[index] < 0x80 else {
                guard bytes[index] == UInt8(ascii: ";") || bytes[index] == UInt8(ascii: " ") else { return nil }
                break
            }
            digits += 1
            guard digits <= 8 else { return nil }
            size = size << 4 | digit
        }
        return digits > 0 ? size : nil
    }

    private static func copy(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8] { range.map { bytes[$0] } }
}
