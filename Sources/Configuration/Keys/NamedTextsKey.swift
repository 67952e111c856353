/// A key with a mapping from names to texts.
struct NamedTextsKey: KeyRow {
    /// What the names are of.
    enum Names {
        case claims
        case fields
    }

    let name: String
    let sentence: String
    private let names: Names

    init(_ name: String, of names: Names, _ sentence: String) {
        self.name = name
        self.names = names
        self.sentence = sentence
    }

    var defaultText: String? { nil }
    var presence: KeyPresence { .optional }
    var bounds: String? { nil }
    var section: Section? { nil }

    var schema: JSON {
        let values: JSON = ["type": ["string", "number", "boolean"]]
        return switch self.names {
        case .claims: ["type": "object", "additionalProperties": values]
        case .fields:
            [
                "type": "object", "propertyNames": ["pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"],
                "additionalProperties": values,
            ]
        }
    }
}
