/// A piece of the YAML document, with its place. Variables are already replaced.
struct DocumentNode {
    enum Content {
        /// Nothing was written.
        case empty
        case scalar(String)
        case list([DocumentNode])
        case mapping([Entry])
        /// Its mistake is already reported.
        case invalid
    }

    var position: Diagnostic.Position
    var content: Content
    /// The whole scalar is the value of one variable.
    var isVariable = false

    /// The list in the value of one variable, split at commas; `nil` where the node is something else. A blank value is an empty list.
    var listOfVariable: [DocumentNode]? {
        guard self.isVariable, case .scalar(let text) = self.content else { return nil }
        guard text.contains(where: { !$0.isWhitespace }) else { return [] }
        return text.split(separator: ",", omittingEmptySubsequences: false).map { entry in
            DocumentNode(position: self.position, content: .scalar(entry.trimmed))
        }
    }

    /// The node in a message that says what else was expected.
    var kind: String {
        switch self.content {
        case .empty, .invalid: "nothing"
        case .scalar(let text): "`\(text)`"
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }
}

extension DocumentNode {
    /// A key of a mapping with its value.
    struct Entry {
        var key: String
        var position: Diagnostic.Position
        var value: DocumentNode
    }
}
