/// A key with a mapping from names to texts.
struct NamedTextsKey: KeyRow {
    /// What the names are of.
    enum Names {
        case claims
        case fields
    }

    let name: String
    let sentence: String
    let isSecret: Bool
    private let names: Names

    /// - Parameter isSecret: Whether its texts may be shown to no one.
    init(_ name: String, of names: Names, isSecret: Bool = false, _ sentence: String) {
        self.isSecret = isSecret
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
