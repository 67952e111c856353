/// A key with a mapping from names to texts.
struct NamedTextsKey: KeyRow {
    let name: String
    let sentence: String

    init(_ name: String, _ sentence: String) {
        self.name = name
        self.sentence = sentence
    }

    var defaultText: String? { nil }
    var presence: KeyPresence { .optional }
    var bounds: String? { nil }
    var section: Section? { nil }

    var schema: JSON {
        ["type": "object", "additionalProperties": ["type": ["string", "number", "boolean"]]]
    }
}
