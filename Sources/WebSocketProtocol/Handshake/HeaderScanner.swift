internal import HTTP1

/// Reads the value of a header field from left to right, each byte once (RFC 9110 section 5.6).
struct HeaderScanner {
    private let bytes: [UInt8]
    private var position = 0

    init(_ value: String) {
        self.bytes = Array(value.utf8)
    }

    var isAtEnd: Bool { self.position == self.bytes.count }

    /// Skips optional whitespace: spaces and tabs.
    mutating func skipWhitespace() {
        while self.position < self.bytes.count, self.bytes[self.position].isWhitespace { self.position += 1 }
    }

    /// Takes this character if it is next.
    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard self.position < self.bytes.count, self.bytes[self.position] == UInt8(ascii: character) else {
            return false
        }
        self.position += 1
        return true
    }

    /// Takes a token; `nil` if none is next.
    mutating func token() -> String? {
        self.tokenRange().map { String(decoding: self.bytes[$0], as: UTF8.self) }
    }

    /// Takes a token, and says whether it is this one, in any case; `nil` if none is next.
    mutating func token(equals name: String) -> Bool? {
        guard let range = self.tokenRange() else { return nil }
        return self.bytes.span.extracting(range).equalsIgnoringCase(name.utf8.span)
    }

    private mutating func tokenRange() -> Range<Int>? {
        let start = self.position
        while self.position < self.bytes.count, self.bytes[self.position].isToken { self.position += 1 }
        return self.position > start ? start..<self.position : nil
    }

    /// Takes a quoted string that spells a token, as RFC 6455 section 9.1 requires; `nil` if none is next.
    mutating func quotedToken() -> String? {
        guard self.take("\"") else { return nil }
        var content: [UInt8] = []
        while self.position < self.bytes.count, !self.take("\"") {
            _ = self.take("\\")
            guard self.position < self.bytes.count, self.bytes[self.position].isToken else { return nil }
            content.append(self.bytes[self.position])
            self.position += 1
        }
        // The loop also ends if the closing quote is missing.
        guard !content.isEmpty, self.bytes[self.position - 1] == UInt8(ascii: "\"") else { return nil }
        return String(decoding: content, as: UTF8.self)
    }

    /// Reads the comma-separated lists of several fields of one name as one list (RFC 9110 sections 5.3 and 5.6.1).
    ///
    /// Empty elements are skipped, as RFC 9110 requires. `nil` if `element` leaves anything else, or if the list is empty.
    static func list<Element>(
        in values: [String], element: (inout HeaderScanner) -> Element?
    ) -> [Element]? {
        var elements: [Element] = []
        for value in values {
            var scanner = HeaderScanner(value)
            scanner.skipWhitespace()
            while !scanner.isAtEnd {
                if scanner.take(",") {
                    scanner.skipWhitespace()
                    continue
                }
                guard let next = element(&scanner) else { return nil }
                elements.append(next)
                scanner.skipWhitespace()
                guard scanner.isAtEnd || scanner.take(",") else { return nil }
                scanner.skipWhitespace()
            }
        }
        return elements.isEmpty ? nil : elements
    }
}
