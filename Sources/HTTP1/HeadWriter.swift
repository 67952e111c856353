/// Writes the head of a message for the wire, line by line (RFC 9112 section 2.1). Nothing that is written is looked at again.
public struct HeadWriter: ~Copyable {
    private var bytes: [UInt8] = []

    /// A request, always in HTTP/1.1.
    ///
    /// - Parameters:
    ///   - method: a token.
    ///   - target: visible US-ASCII.
    ///   - capacity: about how many bytes the head will have.
    public init(request method: String, _ target: String, capacity: Int = 512) {
        self.bytes.reserveCapacity(capacity)
        self.bytes.append(contentsOf: method.utf8.span)
        self.bytes.append(.space)
        self.bytes.append(contentsOf: target.utf8.span)
        self.bytes.append(contentsOf: " HTTP/1.1\r\n".utf8.span)
    }

    /// An answer, always in HTTP/1.1. What a reason phrase cannot have becomes a space.
    ///
    /// - Parameter capacity: about how many bytes the head will have.
    public init(status: Int, reason: String, capacity: Int = 512) {
        self.bytes.reserveCapacity(capacity)
        self.bytes.append(contentsOf: "HTTP/1.1 ".utf8.span)
        self.bytes.append(digits: status)
        self.bytes.append(.space)
        if reason.utf8.span.isPrintable {
            self.bytes.append(contentsOf: reason.utf8.span)
        } else {
            for byte in latin1Bytes(reason) { self.bytes.append(byte.isFieldContent ? byte : .space) }
        }
        self.endLine()
    }

    /// Appends a field, with a value made fit for the wire as by `HTTPFields.append`.
    public mutating func append(_ name: String, _ value: String) { self.bytes.append(fieldLine: name, value) }

    /// Appends a field with a number, 0 or more, as its value.
    public mutating func append(_ name: String, _ value: Int) {
        self.bytes.append(contentsOf: name.utf8.span)
        self.bytes.append(UInt8(ascii: ":"))
        self.bytes.append(.space)
        self.bytes.append(digits: value)
        self.endLine()
    }

    /// Appends all of `fields`.
    public mutating func append(_ fields: HTTPFields) { fields.encode(into: &self.bytes) }

    /// Appends the fields with a name that passes `isIncluded`.
    public mutating func append(_ fields: HTTPFields, where isIncluded: (Span<UInt8>) -> Bool) {
        fields.encode(into: &self.bytes, where: isIncluded)
    }

    /// The head, with the empty line at its end.
    public consuming func finished() -> [UInt8] {
        self.endLine()
        return self.bytes
    }

    private mutating func endLine() {
        self.bytes.append(.carriageReturn)
        self.bytes.append(.lineFeed)
    }
}

extension [UInt8] {
    /// Appends the decimal digits of `number`, which is 0 or more.
    fileprivate mutating func append(digits number: Int) {
        var place = 1
        while number / place >= 10 { place *= 10 }
        while place > 0 {
            self.append(UInt8(ascii: "0") + UInt8(number / place % 10))
            place /= 10
        }
    }
}
