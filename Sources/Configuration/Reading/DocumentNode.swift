/// A piece of the YAML document, with its place; variables are replaced already.
struct DocumentNode {
    enum Content {
        /// Nothing was written.
        case empty
        case scalar(String)
        case list([DocumentNode])
        case mapping([DocumentEntry])
        /// A mistake in it is reported already.
        case invalid
    }

    var position: SourcePosition
    var content: Content

    /// What it is, for a message that says what it should have been.
    var kind: String {
        switch self.content {
        case .empty, .invalid: "nothing"
        case .scalar(let text): "`\(text)`"
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }
}

/// A key of a mapping with its value.
struct DocumentEntry {
    var key: String
    var position: SourcePosition
    var value: DocumentNode
}
