/// A key with a mapping from names of header fields to their values.
struct HeadersKey: KeyRow {
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
        [
            "type": "object", "propertyNames": ["pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"],
            "additionalProperties": ["type": ["string", "number", "boolean"]],
        ]
    }
}
