/// The fields of a head, in the order in which they came. Names compare without case (RFC 9110 section 5.1).
package struct HTTPFields: Hashable, Sendable, ExpressibleByArrayLiteral {
    package struct Field: Hashable, Sendable {
        package let name: String
        package let value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package private(set) var all: [Field] = []

    package init() {}

    package init(arrayLiteral elements: Field...) { self.all = elements }

    package init(_ fields: [Field]) { self.all = fields }

    package mutating func append(_ name: String, _ value: String) { self.all.append(Field(name, value)) }

    /// All values of a field, a list for each time it came.
    ///
    /// - Parameter name: in lower case.
    package func values(_ name: String) -> [String] {
        self.all.lazy.filter { $0.isNamed(name) }.map(\.value)
    }

    /// - Parameter name: in lower case.
    package func first(_ name: String) -> String? { self.all.first { $0.isNamed(name) }?.value }

    package func contains(_ name: String) -> Bool { self.all.contains { $0.isNamed(name) } }

    /// The comma-separated members of all values of a field (RFC 9110 section 5.6.1), without empty ones.
    package func members(_ name: String) -> [String] {
        self.values(name).flatMap { value in
            value.split(separator: ",").map { $0.trimmingHTTPSpace() }.filter { !$0.isEmpty }
        }
    }
}

extension HTTPFields.Field {
    /// - Parameter name: in lower case.
    package func isNamed(_ name: String) -> Bool {
        self.name.utf8.count == name.utf8.count && zip(self.name.utf8, name.utf8).allSatisfy { $0.asciiLowercased == $1 }
    }
}

extension StringProtocol {
    /// Without spaces and tabs at both ends.
    package func trimmingHTTPSpace() -> String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        guard let start = self.firstIndex(where: { !isSpace($0) }), let end = self.lastIndex(where: { !isSpace($0) }) else {
            return ""
        }
        return String(self[start...end])
    }

    /// ASCII letters in lower case; everything else, and every locale, left alone.
    package var asciiLowercased: String { String(decoding: self.utf8.map(\.asciiLowercased), as: UTF8.self) }

    /// RFC 9110 section 5.6.2.
    package var isHTTPToken: Bool { !self.isEmpty && self.utf8.allSatisfy(\.isHTTPTokenCharacter) }
}

extension UInt8 {
    package var asciiLowercased: UInt8 { (0x41...0x5A).contains(self) ? self | 0x20 : self }

    /// RFC 9110 section 5.6.2.
    package var isHTTPTokenCharacter: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"), UInt8(ascii: "'"),
            UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "_"),
            UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }

    /// What a field value may have (RFC 9110 section 5.5): visible, space, tab, or beyond ASCII.
    var isFieldContent: Bool { self == 0x09 || (self >= 0x20 && self != 0x7F) }
}
