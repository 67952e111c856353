/// A JSON value. The members of an object keep their order.
public indirect enum JSON: Sendable {
    /// Not quoted and not escaped yet.
    case string(String)
    /// As it is written.
    case number(String)
    /// `true` or `false`.
    case boolean(Bool)
    /// In their order.
    case array([JSON])
    /// In their order. It is not checked that a key stands only once.
    case object([Member])

    /// A key of an object and its value.
    public struct Member: Sendable {
        /// Not quoted and not escaped yet.
        var key: String
        /// What stands after the colon.
        var value: JSON
    }

    /// The value as people read it: what fits on a line stands on one.
    ///
    /// - Parameter width: The most characters of a line, where that is possible.
    public func text(width: Int) -> String {
        String(decoding: self.bytes(width: width, indent: 0, taken: 0), as: UTF8.self)
    }

    /// - Parameters:
    ///   - indent: The spaces before the line on which the value begins.
    ///   - taken: The characters of that line that are not free.
    private func bytes(width: Int, indent: Int, taken: Int) -> [UInt8] {
        let flat = self.flat
        let entries: [(key: String?, value: JSON)]
        let brackets: (opening: String, closing: String)
        switch self {
        case .string, .number, .boolean: return flat
        case .array(let elements): (entries, brackets) = (elements.map { (nil, $0) }, ("[", "]"))
        case .object(let members): (entries, brackets) = (members.map { ($0.key, $0.value) }, ("{", "}"))
        }
        guard taken + flat.count > width, !entries.isEmpty else { return flat }
        var bytes = Array(brackets.opening.utf8)
        for (index, entry) in entries.enumerated() {
            var start = Array(repeating: UInt8(ascii: " "), count: indent + 2)
            if let key = entry.key {
                start.append(quoted: key)
                start += Array(": ".utf8)
            }
            bytes += Array((index == 0 ? "\n" : ",\n").utf8) + start
            // One more character for the comma.
            bytes += entry.value.bytes(width: width, indent: indent + 2, taken: start.count + 1)
        }
        return bytes + Array(("\n" + String(repeating: " ", count: indent) + brackets.closing).utf8)
    }

    /// The value on one line.
    private var flat: [UInt8] {
        var bytes: [UInt8] = []
        switch self {
        case .string(let text): bytes.append(quoted: text)
        case .number(let text): bytes += Array(text.utf8)
        case .boolean(let flag): bytes += Array((flag ? "true" : "false").utf8)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes += Array(", ".utf8) }
                bytes += element.flat
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { bytes += Array(", ".utf8) }
                bytes.append(quoted: member.key)
                bytes += Array(": ".utf8) + member.value.flat
            }
            bytes.append(UInt8(ascii: "}"))
        }
        return bytes
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    /// A string.
    public init(stringLiteral text: String) { self = .string(text) }
    /// A number in decimal.
    public init(integerLiteral number: Int) { self = .number(String(number)) }
    /// `true` or `false`.
    public init(booleanLiteral flag: Bool) { self = .boolean(flag) }
    /// An array of these elements.
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    /// An object of these members, in this order.
    public init(dictionaryLiteral members: (String, JSON)...) {
        self = .object(members.map { Member(key: $0.0, value: $0.1) })
    }
}
