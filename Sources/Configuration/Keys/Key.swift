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
