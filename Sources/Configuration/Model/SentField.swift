/// An entry of `send`: a field that a backend gets.
public struct SentField<Source: Equatable & Sendable>: Equatable, Sendable {
    /// The name of the field.
    public var name: String
    /// What its value is.
    public var source: Source

    /// A valid name, which is not checked.
    public init(name: String, source: Source) {
        self.name = name
        self.source = source
    }
}
