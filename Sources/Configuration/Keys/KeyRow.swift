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
    /// Whether the mapping under the key has names of the file's own, and under each a mapping of `section`.
    var hasNames: Bool { get }
    /// Whether what is under the key may be shown to no one.
    var isSecret: Bool { get }
}

extension KeyRow {
    /// Most have not.
    public var hasNames: Bool { false }
    /// Most are not.
    public var isSecret: Bool { false }
}

/// Whether a key must be written.
public enum KeyPresence: Equatable, Sendable {
    /// It may be left out.
    case optional
    /// A section without it is a mistake.
    case required
    /// Of the keys of a section that are `alternative`, exactly one must be written.
    case alternative
    /// The same, but it may stand beside the alternative of this name.
    case alternativeBeside(String)
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
    /// What the type says.
    public var isSecret: Bool { self.type.isSecret }
}
