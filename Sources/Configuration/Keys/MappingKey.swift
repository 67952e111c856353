/// A key with a mapping, or with several mappings.
struct MappingKey<Rows: Sendable>: KeyRow {
    enum Shape: Sendable {
        case mapping
        /// A mapping, or one of these.
        case mappingOr([JSON])
        case list
        /// A list with at least one mapping.
        case filledList
        /// A list with at least one entry, each text or a mapping.
        case filledListOfTextOrMappings
        /// A mapping from names to mappings.
        case byName
    }

    let name: String
    let keys: SectionKeys<Rows>
    let shape: Shape
    let defaultText: String?
    let presence: KeyPresence
    let sentence: String

    init(
        _ name: String, _ keys: SectionKeys<Rows>, as shape: Shape = .mapping, default text: String? = nil,
        presence: KeyPresence = .optional, _ sentence: String
    ) {
        self.name = name
        self.keys = keys
        self.shape = shape
        self.defaultText = text
        self.presence = presence
        self.sentence = sentence
    }

    var bounds: String? { nil }
    var section: Section? { self.keys.section }
    var hasNames: Bool { if case .byName = self.shape { true } else { false } }

    var schema: JSON {
        let mapping = JSON.reference(self.keys.section.name)
        return switch self.shape {
        case .mapping: mapping
        case .mappingOr(let others): ["anyOf": .array(others + [mapping, .variable])]
        case .list: ["type": "array", "items": mapping]
        case .filledList: ["type": "array", "minItems": 1, "items": mapping]
        case .filledListOfTextOrMappings:
            [
                "anyOf": [
                    ["type": "array", "minItems": 1, "items": ["anyOf": [["type": "string"], mapping]]], .variable,
                ]
            ]
        case .byName: ["type": "object", "additionalProperties": mapping]
        }
    }
}
