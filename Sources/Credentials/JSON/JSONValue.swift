/// A value in JSON (RFC 8259 section 3).
enum JSONValue: Equatable, Sendable {
    case null
    case boolean(Bool)
    /// As it is written: `1`, `-2.50`, `1e3`.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// The text of a string.
    var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The texts of an array in which all elements are strings.
    var texts: [String]? {
        guard case .array(let elements) = self else { return nil }
        let texts = elements.compactMap(\.text)
        return texts.count == elements.count ? texts : nil
    }
}
