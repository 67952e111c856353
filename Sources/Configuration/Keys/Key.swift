/// A row of the table of keys, whatever the value of its key is.
public protocol KeyRow: Sendable {
    /// The key, as the file writes it.
    var name: String { get }
    /// The value that an absent key stands for, as the file writes it; `nil`: there is none.
    var defaultText: String? { get }
    /// Whether the file must have the key.
    var presence: KeyPresence { get }
    /// The meaning of the key, in a sentence or two.
    var sentence: String { get }
    /// The values that the key takes, as a JSON schema.
    var schema: JSON { get }
    /// The bounds of the value, as in `1ms to 24h`; `nil`: it has none, or `schema` has them.
    var bounds: String? { get }
    /// The section of the mapping, or the mappings, under the key.
    var section: Section? { get }
}

/// Whether a key must be written.
public enum KeyPresence: Sendable {
    /// It may be left out.
    case optional
    /// A section without it is a mistake.
    case required
    /// Of the keys of a section that are `alternative`, exactly one must be written.
    case alternative
}

/// A row of a key with one value, which is read from its text.
protocol ValueRow<Value>: KeyRow {
    associatedtype Value: Sendable
    var type: KeyType<Value> { get }
}

extension ValueRow {
    /// That of the type.
    public var schema: JSON { self.type.schema }
    /// Those of the type.
    public var bounds: String? { self.type.bounds }
    /// None: the key has a value.
    public var section: Section? { nil }
}

/// A key with one value and a default.
struct Key<Value: Sendable>: ValueRow {
    let name: String
    let type: KeyType<Value>
    let defaultText: String?
    let sentence: String
    /// The value of an absent key.
    let `default`: Value

    var presence: KeyPresence { .optional }

    /// - Parameter text: The default as the file writes it. One that the type refuses is a mistake in the table, and ends the process.
    init(_ name: String, _ type: KeyType<Value>, default text: String, _ sentence: String) {
        self.name = name
        self.type = type
        self.defaultText = text
        self.sentence = sentence
        do {
            self.default = try type.read(text)
        } catch {
            preconditionFailure("the default of `\(name)` \(error.problem)")
        }
    }
}

/// A key with one value and no default.
struct OptionalKey<Value: Sendable>: ValueRow {
    let name: String
    let type: KeyType<Value>
    let presence: KeyPresence
    let sentence: String

    var defaultText: String? { nil }

    init(_ name: String, _ type: KeyType<Value>, presence: KeyPresence = .optional, _ sentence: String) {
        self.name = name
        self.type = type
        self.presence = presence
        self.sentence = sentence
    }
}

/// A key with a list of values.
struct ListKey<Element: Sendable>: KeyRow {
    let name: String
    let type: KeyType<Element>
    /// `[]`, or `nil` where an absent key is not the same as an empty list, which is then refused.
    let defaultText: String?
    let presence: KeyPresence
    let sentence: String

    init(
        _ name: String, of type: KeyType<Element>, default text: String? = nil, presence: KeyPresence = .optional,
        _ sentence: String
    ) {
        self.name = name
        self.type = type
        self.defaultText = text
        self.presence = presence
        self.sentence = sentence
    }

    var bounds: String? { nil }
    var section: Section? { nil }

    var schema: JSON {
        let array: JSON =
            self.defaultText == nil
            ? ["type": "array", "minItems": 1, "items": self.type.schema]
            : ["type": "array", "items": self.type.schema]
        return ["anyOf": [array, .variable]]
    }
}

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

/// A key that is planned and does not work yet. A value that asks for nothing new is accepted; others are refused.
struct LaterKey: Sendable {
    enum Accepted: Sendable {
        /// `off`, `0`, `0s`, `false` or `[]`
        case off
        /// The word for what is done today.
        case word(String)
    }

    let name: String
    let accepted: Accepted

    init(_ name: String, accepts accepted: Accepted = .off) {
        self.name = name
        self.accepted = accepted
    }
}
