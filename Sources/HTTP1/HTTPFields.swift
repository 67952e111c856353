/// The fields of a head in their order. Names are compared in any case (RFC 9110 section 5.1).
///
/// They are kept as the bytes that go on the wire: most fields of a head are only passed on, and never become text.
public struct HTTPFields: Equatable, Sendable, RandomAccessCollection, ExpressibleByDictionaryLiteral {
    /// Where a field stands in `lines`: name, colon, space, value, CRLF.
    ///
    /// In 32 bits each, because a session holds its fields while it waits for its backend.
    private struct Place: Equatable, Sendable {
        private let start: UInt32
        private let colon: UInt32
        private let end: UInt32

        init(start: Int, colon: Int, end: Int) {
            self.start = UInt32(start)
            self.colon = UInt32(colon)
            self.end = UInt32(end)
        }

        var nameLength: Int { Int(self.colon) - Int(self.start) }
        var name: Range<Int> { Int(self.start)..<Int(self.colon) }
        var value: Range<Int> { Int(self.colon) + 2..<Int(self.end) }
        var line: Range<Int> { Int(self.start)..<Int(self.end) + 2 }

        func moved(by distance: Int) -> Place {
            Place(start: Int(self.start) + distance, colon: Int(self.colon) + distance, end: Int(self.end) + distance)
        }
    }

    private var lines: [UInt8] = []
    private var places: [Place] = []
    /// A bit for each length of a name, modulo 64: most names that are looked for are not there.
    private var nameLengths: UInt64 = 0

    /// No fields, and no memory.
    public init() {}

    /// Keeps order and repetitions.
    public init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { self.append(name, value) }
    }

    /// 0.
    public var startIndex: Int { 0 }
    /// The number of fields.
    public var endIndex: Int { self.places.count }

    /// The field in that place of the head; its name and value are copied.
    public subscript(position: Int) -> Field {
        Field(name: latin1Text(self.lines.span, self.places[position].name), value: self.value(at: position))
    }

    /// Makes room for so many fields, with lines of so many bytes in all.
    public mutating func reserveCapacity(fields: Int, bytes: Int) {
        self.lines.reserveCapacity(bytes)
        self.places.reserveCapacity(fields)
    }

    // MARK: - Adding

    /// Appends a field. A control character in the value becomes a space, so that no value can split a head. A character
    /// outside ISO 8859-1 becomes a question mark.
    public mutating func append(_ name: String, _ value: String) {
        let start = self.lines.count
        self.lines.append(fieldLine: name, value)
        self.add(Place(start: start, colon: start + name.utf8.count, end: self.lines.count - 2))
    }

    /// Appends a field with a value in UTF-8. A control character becomes a space.
    public mutating func append(_ name: String, utf8 value: String) {
        let bytes = value.utf8.map { $0.isFieldContent ? $0 : .space }
        self.append(name.utf8.span, bytes.span)
    }

    /// Appends a field, likewise.
    public mutating func append(_ field: Field) { self.append(field.name, field.value) }

    /// Appends a field with a value from the wire: every byte is `isFieldContent`.
    mutating func append(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        let start = self.lines.count
        self.lines.append(fieldLine: name, value)
        self.add(Place(start: start, colon: start + name.count, end: self.lines.count - 2))
    }

    private mutating func add(_ place: Place) {
        self.places.append(place)
        self.nameLengths |= Self.mark(ofLength: place.nameLength)
    }

    private static func mark(ofLength length: Int) -> UInt64 { 1 << UInt64(length & 63) }

    /// Adds a field as it came: name, colon, one space, value and CRLF, with no other whitespace around the value. Before anything else is
    /// added or looked for, `append(lines:)` has to bring its line.
    ///
    /// - Parameter start: where the line stands in what that brings.
    mutating func add(lineAt start: Int, nameLength: Int, length: Int) {
        let start = self.lines.count + start
        self.add(Place(start: start, colon: start + nameLength, end: start + length - 2))
    }

    /// Brings the lines of the fields that were added, one behind the other.
    mutating func append(lines: Span<UInt8>) { self.lines.append(contentsOf: lines) }

    /// Appends all of `fields`.
    public mutating func append(_ fields: HTTPFields) {
        let distance = self.lines.count
        self.lines.append(contentsOf: fields.lines)
        for place in fields.places { self.add(place.moved(by: distance)) }
    }

    /// Appends the fields with a name that passes `isIncluded`.
    public mutating func append(_ fields: HTTPFields, where isIncluded: (Span<UInt8>) -> Bool) {
        if self.isEmpty {
            // A few more often follow.
            self.reserveCapacity(fields: fields.count + 4, bytes: fields.lines.count + 128)
        }
        let lines = fields.lines.span
        for place in fields.places where isIncluded(lines.extracting(place.name)) {
            let distance = self.lines.count - place.line.lowerBound
            self.lines.append(contentsOf: lines.extracting(place.line))
            self.add(place.moved(by: distance))
        }
    }

    /// Puts `fields` in place of all fields of their names.
    public mutating func set(_ fields: HTTPFields) {
        guard !fields.isEmpty else { return }
        var kept = HTTPFields()
        kept.append(self) { !fields.has($0) }
        kept.append(fields)
        self = kept
    }

    // MARK: - Finding

    /// Calls `body` with the name of each field.
    public func forEachName(_ body: (Span<UInt8>) -> Void) {
        let lines = self.lines.span
        for place in self.places { body(lines.extracting(place.name)) }
    }

    private func value(at index: Int) -> String { latin1Text(self.lines.span, self.places[index].value) }

    /// The place of the first field of that name at `start` or after it.
    private func index(of name: String, from start: Int = 0) -> Int? { self.index(of: name.utf8.span, from: start) }

    private func index(of name: Span<UInt8>, from start: Int = 0) -> Int? {
        guard self.nameLengths & Self.mark(ofLength: name.count) != 0 else { return nil }
        let lines = self.lines.span
        for index in start..<self.places.count {
            // Most names differ in length, which is cheaper to compare.
            let place = self.places[index]
            guard place.nameLength == name.count else { continue }
            if lines.extracting(place.name).equalsIgnoringCase(name) { return index }
        }
        return nil
    }

    /// The values of all fields of that name, in their order.
    public func values(_ name: String) -> [String] {
        var values: [String] = []
        var next = self.index(of: name)
        while let index = next {
            values.append(self.value(at: index))
            next = self.index(of: name, from: index + 1)
        }
        return values
    }

    /// Whether there is a field of that name.
    public func has(_ name: String) -> Bool { self.index(of: name) != nil }

    /// Whether there is a field of that name.
    public func has(_ name: Span<UInt8>) -> Bool { self.index(of: name) != nil }

    /// The value of the first field of that name.
    public func first(_ name: String) -> String? { self.index(of: name).map { self.value(at: $0) } }

    /// The value of the only field of that name, or that there is none, or more than one.
    public func only(_ name: String) -> Occurrence {
        guard let index = self.index(of: name) else { return .absent }
        return self.index(of: name, from: index + 1) == nil ? .once(self.value(at: index)) : .repeated
    }

    /// What `read` makes of the value of the only field of that name; `nil` if there is none, or more than one.
    func only<Value>(_ name: String, read: (Span<UInt8>) -> Value) -> Value? {
        guard let index = self.index(of: name), self.index(of: name, from: index + 1) == nil else { return nil }
        return read(self.lines.span.extracting(self.places[index].value))
    }

    /// Whether `body` returns true for an element of the comma-separated list in all fields of that name (RFC 9110 section
    /// 5.6.1). It is called with one after the other, up to that one. Empty elements are skipped.
    public func hasElement(_ name: String, where body: (Span<UInt8>) -> Bool) -> Bool {
        let lines = self.lines.span
        var next = self.index(of: name)
        while let index = next {
            let value = self.places[index].value
            var start = value.lowerBound
            for end in value.lowerBound...value.upperBound
            where end == value.upperBound || lines[end] == UInt8(ascii: ",") {
                let element = lines.trimmed(start..<end)
                if !element.isEmpty, body(lines.extracting(element)) { return true }
                start = end + 1
            }
            next = self.index(of: name, from: index + 1)
        }
        return false
    }

    /// Whether the list of that name has one element, and that is `token` in any case.
    public func isList(_ name: String, of token: String) -> Bool {
        let token = token.utf8.span
        var count = 0
        let hasOther = self.hasElement(name) { element in
            count += 1
            return !element.equalsIgnoringCase(token)
        }
        return count == 1 && !hasOther
    }

    /// The elements of the comma-separated list in all fields of that name, unchanged.
    public func elements(_ name: String) -> [String] {
        var elements: [String] = []
        _ = self.hasElement(name) { element in
            elements.append(latin1Text(element, element.indices))
            return false
        }
        return elements
    }

    // MARK: - Writing

    /// Appends `name: value CRLF` for each field.
    public func encode(into bytes: inout [UInt8]) { bytes.append(contentsOf: self.lines) }

    /// The same for the fields with a name that passes `isIncluded`.
    public func encode(into bytes: inout [UInt8], where isIncluded: (Span<UInt8>) -> Bool) {
        let lines = self.lines.span
        // Those that stand side by side are copied together.
        var run = 0..<0
        for place in self.places where isIncluded(lines.extracting(place.name)) {
            if place.line.lowerBound == run.upperBound {
                run = run.lowerBound..<place.line.upperBound
            } else {
                bytes.append(contentsOf: lines.extracting(run))
                run = place.line
            }
        }
        bytes.append(contentsOf: lines.extracting(run))
    }
}

extension [UInt8] {
    /// Appends `name: value CRLF`. A control character in the value becomes a space, so that no value can split a head. A character
    /// outside ISO 8859-1 becomes a question mark.
    mutating func append(fieldLine name: String, _ value: String) {
        let bytes = value.utf8.span
        if bytes.isPrintable {
            self.append(fieldLine: name.utf8.span, bytes)
        } else {
            let bytes = latin1Bytes(value).map { $0.isFieldContent ? $0 : .space }
            self.append(fieldLine: name.utf8.span, bytes.span)
        }
    }

    /// Appends `name: value CRLF`. Every byte of the value is `isFieldContent`.
    fileprivate mutating func append(fieldLine name: Span<UInt8>, _ value: Span<UInt8>) {
        self.append(addingCapacity: name.count + value.count + 4) { line in
            line.append(contentsOf: name)
            line.append(UInt8(ascii: ":"))
            line.append(.space)
            line.append(contentsOf: value)
            line.append(.carriageReturn)
            line.append(.lineFeed)
        }
    }
}

extension HTTPFields: CustomStringConvertible {
    /// The lines, for the output of failed tests.
    public var description: String { latin1Text(self.lines.span, self.lines.indices) }
}

extension HTTPFields {
    /// One header field.
    ///
    /// A value is read and written as ISO 8859-1, byte for byte: bytes above 127 (`obs-text`) pass unchanged.
    public struct Field: Equatable, Sendable {
        /// A token, as sent.
        public var name: String
        /// Without the whitespace around it.
        public var value: String

        /// Nothing is checked here: `HTTPFields.append` makes a value fit for the wire.
        init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// How often a field occurs, for those that may occur only once.
    public enum Occurrence: Equatable, Sendable {
        /// There is no such field.
        case absent
        /// Its only value.
        case once(String)
        /// It occurs more than once, even if the values are equal.
        case repeated
    }
}
