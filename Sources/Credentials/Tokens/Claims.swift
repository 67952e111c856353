internal import Configuration

/// What a token says (RFC 7519 section 4).
struct Claims {
    private let object: JSONObject

    init(_ object: JSONObject) {
        self.object = object
    }

    subscript(name: String) -> JSONValue? { self.object[name] }

    /// The text of a claim; `nil` where it is absent.
    func text(_ name: String) throws(Flaw) -> String? {
        guard let value = self.object[name] else { return nil }
        guard let text = value.text else { throw .claim("the token's \(name) is no text") }
        return text
    }

    // MARK: - Times

    /// From year 1 to year 9999. What is beyond is no time, but perhaps milliseconds.
    private static let times = -62_135_596_800.0...253_402_300_799.0

    /// The second since 1970 of a claim; `nil` where it is absent. It may have a fraction (RFC 7519 section 2), which is left out.
    func time(_ name: String) throws(Flaw) -> Int64? {
        guard let value = self.object[name] else { return nil }
        guard case .number(let text) = value, let seconds = Double(text), Self.times.contains(seconds) else {
            throw .claim("the token's \(name) is no time")
        }
        return Int64(seconds.rounded(.down))
    }

    // MARK: - Requirements

    /// Whether a claim is what it has to be, or contains it, as an element of a list or as a word of a text (as `scope` has them, RFC 8693
    /// section 4.2).
    func meets(_ requirement: JWTSettings.Requirement) -> Bool {
        switch self.object[requirement.claim] {
        case .array(let elements)?: elements.contains { Self.isExactly($0, requirement.value) }
        case .string(let text)?:
            text.isExactly(requirement.value)
                || text.utf8.split(separator: UInt8(ascii: " ")).contains { $0.elementsEqual(requirement.value.utf8) }
        case let value?: Self.isExactly(value, requirement.value)
        case nil: false
        }
    }

    /// The file writes numbers and truth values as the token does.
    private static func isExactly(_ value: JSONValue, _ text: String) -> Bool {
        switch value {
        case .string(let value), .number(let value): value.isExactly(text)
        case .boolean(let value): (value ? "true" : "false").isExactly(text)
        case .null, .array, .object: false
        }
    }

    // MARK: - Fields

    /// A claim as the value of a field: a text, a number as it is written, or a list of texts with commas between them. `nil` where it is
    /// absent, or an empty list.
    func fieldValue(_ name: String) throws(Flaw) -> String? {
        let parts: [String]
        switch self.object[name] {
        case nil: return nil
        case .string(let text)?: parts = [text]
        case .number(let text)?: parts = [text]
        case let value?:
            guard let texts = value.texts else {
                throw .claim("the token's \(name) is no text, number or list of texts")
            }
            guard !texts.contains(where: { $0.utf8.contains(UInt8(ascii: ",")) }) else {
                throw .claim("the token's \(name) has an element with a comma")
            }
            parts = texts
        }
        for part in parts {
            if let flaw = FieldValue.flaw(of: part) { throw .claim("the token's \(name) \(flaw)") }
        }
        return parts.isEmpty ? nil : parts.joined(separator: ",")
    }
}
