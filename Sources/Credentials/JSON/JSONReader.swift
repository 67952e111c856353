internal import HTTP1

/// Reads JSON (RFC 8259), strictly: a name occurs once in an object, because recipients that take the first one and recipients that take
/// the last one would see different things (RFC 7515 section 4, RFC 7519 section 4).
struct JSONReader {
    /// What is wrong with a text.
    struct Mistake: Error, Equatable, CustomStringConvertible {
        /// As a sentence goes on: "it …".
        let problem: String
        /// The byte at which it was noticed, from 0.
        let offset: Int

        var description: String { "\(self.problem) (at byte \(self.offset))" }
    }

    /// How many arrays and objects may stand in each other.
    static let mostLevels = 32

    private let bytes: [UInt8]
    private var index = 0
    private var levels = 0

    /// Reads a text that is an object, with whitespace around it.
    ///
    /// - Parameter most: How many bytes it may have.
    static func object(_ bytes: [UInt8], most: Int) throws(Mistake) -> JSONObject {
        guard bytes.count <= most else { throw Mistake(problem: "has more than \(most) bytes", offset: most) }
        // All that is special is ASCII, so that each part of it is whole, too.
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw Mistake(problem: "is not UTF-8", offset: 0)
        }
        var reader = JSONReader(bytes: bytes)
        reader.skipWhitespace()
        guard reader.peek == UInt8(ascii: "{") else { throw reader.mistake("is not an object") }
        let object = try reader.object()
        reader.skipWhitespace()
        guard reader.index == bytes.count else { throw reader.mistake("goes on after its end") }
        return object
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private var peek: UInt8? { self.index < self.bytes.count ? self.bytes[self.index] : nil }

    private func mistake(_ problem: String) -> Mistake { Mistake(problem: problem, offset: self.index) }

    private mutating func skipWhitespace() {
        while let byte = self.peek, byte.isWhitespace || byte == .carriageReturn || byte == .lineFeed {
            self.index += 1
        }
    }

    private mutating func take(_ character: Unicode.Scalar) throws(Mistake) {
        guard self.peek == UInt8(ascii: character) else { throw self.mistake("lacks `\(character)`") }
        self.index += 1
    }

    // MARK: - Values

    private mutating func value() throws(Mistake) -> JSONValue {
        switch self.peek {
        case UInt8(ascii: "{"): return .object(try self.object())
        case UInt8(ascii: "["): return .array(try self.array())
        case UInt8(ascii: "\""): return .string(try self.string())
        case UInt8(ascii: "t"): return try self.word("true", .boolean(true))
        case UInt8(ascii: "f"): return try self.word("false", .boolean(false))
        case UInt8(ascii: "n"): return try self.word("null", .null)
        case nil: throw self.mistake("ends too early")
        default: return .number(try self.number())
        }
    }

    private mutating func word(_ word: String, _ value: JSONValue) throws(Mistake) -> JSONValue {
        guard self.bytes[self.index...].starts(with: word.utf8) else { throw self.mistake("has no value") }
        self.index += word.utf8.count
        return value
    }

    private mutating func object() throws(Mistake) -> JSONObject {
        var members: [JSONObject.Member] = []
        var names: Set<[UInt8]> = []
        try self.list(from: "{", to: "}") { reader throws(Mistake) in
            let start = reader.index
            let name = try reader.string()
            guard names.insert(Array(name.utf8)).inserted else {
                throw Mistake(problem: "has two members with the same name", offset: start)
            }
            reader.skipWhitespace()
            try reader.take(":")
            reader.skipWhitespace()
            members.append(JSONObject.Member(name: name, value: try reader.value()))
        }
        return JSONObject(members: members)
    }

    private mutating func array() throws(Mistake) -> [JSONValue] {
        var elements: [JSONValue] = []
        try self.list(from: "[", to: "]") { reader throws(Mistake) in elements.append(try reader.value()) }
        return elements
    }

    /// Elements with commas between them.
    private mutating func list(
        from opening: Unicode.Scalar, to closing: Unicode.Scalar, _ element: (inout Self) throws(Mistake) -> Void
    ) throws(Mistake) {
        guard self.levels < Self.mostLevels else { throw self.mistake("is nested too deep") }
        self.levels += 1
        defer { self.levels -= 1 }
        try self.take(opening)
        self.skipWhitespace()
        if self.peek == UInt8(ascii: closing) {
            self.index += 1
            return
        }
        while true {
            try element(&self)
            self.skipWhitespace()
            if self.peek == UInt8(ascii: closing) {
                self.index += 1
                return
            }
            try self.take(",")
            self.skipWhitespace()
        }
    }

    /// `-`, digits without a zero in front, a fraction, an exponent (section 6).
    private mutating func number() throws(Mistake) -> String {
        let start = self.index
        if self.peek == UInt8(ascii: "-") { self.index += 1 }
        if self.peek == UInt8(ascii: "0") { self.index += 1 } else { try self.digits() }
        if self.peek == UInt8(ascii: ".") {
            self.index += 1
            try self.digits()
        }
        if let byte = self.peek, byte.asciiLowercased == UInt8(ascii: "e") {
            self.index += 1
            if let sign = self.peek, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { self.index += 1 }
            try self.digits()
        }
        return String(decoding: self.bytes[start..<self.index], as: UTF8.self)
    }

    /// At least one.
    private mutating func digits() throws(Mistake) {
        let start = self.index
        while let byte = self.peek, byte.isDigit { self.index += 1 }
        guard self.index > start else { throw self.mistake("has no value") }
    }

    // MARK: - Strings

    private mutating func string() throws(Mistake) -> String {
        try self.take("\"")
        var text: [UInt8] = []
        while let byte = self.peek {
            self.index += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try self.escape(into: &text)
            case 0..<0x20: throw self.mistake("has a control character in a string")
            default: text.append(byte)
            }
        }
        throw self.mistake("ends too early")
    }

    /// What follows a backslash (section 7).
    private mutating func escape(into text: inout [UInt8]) throws(Mistake) {
        let byte = self.peek
        self.index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(self.bytes[self.index - 1])
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(.lineFeed)
        case UInt8(ascii: "r"): text.append(.carriageReturn)
        case UInt8(ascii: "t"): text.append(.tab)
        case UInt8(ascii: "u"): text.append(contentsOf: String(try self.scalar()).utf8)
        default: throw self.mistake("has an escape that does not exist")
        }
    }

    /// Four hexadecimal digits, or twice that for a character beyond U+FFFF.
    private mutating func scalar() throws(Mistake) -> Character {
        var value = try self.codeUnit()
        if 0xD800..<0xDC00 ~= value {
            try self.take("\\")
            try self.take("u")
            let low = try self.codeUnit()
            guard 0xDC00..<0xE000 ~= low else { throw self.mistake("has half a surrogate pair") }
            value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(value) else { throw self.mistake("has half a surrogate pair") }
        return Character(scalar)
    }

    private mutating func codeUnit() throws(Mistake) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = self.peek?.hexadecimalValue else { throw self.mistake("has a broken escape") }
            value = value << 4 | UInt32(digit)
            self.index += 1
        }
        return value
    }
}
