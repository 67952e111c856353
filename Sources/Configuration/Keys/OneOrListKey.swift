/// A key with one value, or with a list of values.
struct OneOrListKey<Element: Sendable>: KeyRow {
    let name: String
    let type: KeyType<Element>
    let presence: KeyPresence
    let sentence: String

    init(_ name: String, of type: KeyType<Element>, presence: KeyPresence = .optional, _ sentence: String) {
        self.name = name
        self.type = type
        self.presence = presence
        self.sentence = sentence
    }

    var defaultText: String? { nil }
    var bounds: String? { nil }
    var section: Section? { nil }

    var schema: JSON {
        ["anyOf": [["type": "array", "minItems": 1, "items": self.type.schema], self.type.schema]]
    }
}
