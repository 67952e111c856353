internal import Yams

/// Turns the text of a file into nodes. Only plain data is accepted: anchors, aliases, merge keys, tags, a second
/// document and duplicate keys are refused.
struct DocumentComposer {
    /// The parser's name for a key that is not a scalar.
    private static let unconvertible = "<uncovertable>"

    private let diagnostics: Diagnostics
    private let substitution: Substitution
    /// The names of duplicate keys that were hidden from the parser, which stops at the first of them.
    private var hidden = HiddenKeys()
    private var reportedAnchors: Set<Diagnostic.Position> = []

    /// The root of the document; `nil` where it is empty, or so wrong that nothing can be read.
    static func compose(_ text: String, environment: [String: String], diagnostics: Diagnostics) -> DocumentNode? {
        var composer = Self(diagnostics: diagnostics, substitution: Substitution(environment: environment))
        return composer.compose(text)
    }

    private init(diagnostics: Diagnostics, substitution: Substitution) {
        self.diagnostics = diagnostics
        self.substitution = substitution
    }

    private mutating func compose(_ text: String) -> DocumentNode? {
        guard !self.reportsCharacters(of: text) else { return nil }
        var text = text
        while true {
            do {
                // Without rules every scalar is text, and a tag other than the plain one is one that was written.
                let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
                // The parser owns the anchors, which nodes refer to weakly.
                return try withExtendedLifetime(parser) { try parser.singleRoot().map { self.node($0) } }
            } catch YamlError.duplicatedKeysInMapping(let names, let context) {
                let position = Diagnostic.Position(context.mark)
                guard !names.contains(Self.unconvertible) else {
                    // Where keys are not text, the parser's hashing decides which one it names first.
                    self.diagnostics.report(
                        names.count == 1 ? position : nil,
                        "duplicate key that is a list or a mapping: a key must be text")
                    return nil
                }
                // A key that is written with escapes cannot be hidden.
                guard let name = names.first, self.hidden.hide(name, at: position, in: &text) else {
                    self.diagnostics.report(position, "duplicate key")
                    return nil
                }
            } catch {
                SyntaxMistake(error).report(to: self.diagnostics)
                return nil
            }
        }
    }

    /// Reports the first character that YAML does not allow at all.
    private func reportsCharacters(of text: String) -> Bool {
        var position = Diagnostic.Position(line: 1, column: 1)
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x0A: position = Diagnostic.Position(line: position.line + 1, column: 1)
            case 0x00...0x08, 0x0B, 0x0C, 0x0E...0x1F, 0x7F...0x84, 0x86...0x9F, 0xFFFE, 0xFFFF:
                let code = String(scalar.value, radix: 16, uppercase: true)
                self.diagnostics.report(
                    position,
                    "not valid YAML: control character U+\(String(repeating: "0", count: 4 - code.count))\(code)")
                return true
            default: position.column += 1
            }
        }
        return false
    }

    // MARK: - Nodes

    private mutating func node(_ node: Node) -> DocumentNode {
        let position = Diagnostic.Position(node.mark)
        guard !self.refuses(node, at: position) else { return DocumentNode(position: position, content: .invalid) }
        switch node {
        case .scalar(let scalar):
            return DocumentNode(
                position: position, content: self.scalar(scalar, at: position),
                isVariable: Substitution.isOneReference(scalar.string))
        case .sequence(let sequence):
            return DocumentNode(position: position, content: .list(sequence.map { self.node($0) }))
        case .mapping(let mapping):
            return DocumentNode(position: position, content: .mapping(self.entries(mapping)))
        case .alias:
            // The parser has already replaced the alias with the node of its anchor.
            return DocumentNode(position: position, content: .invalid)
        }
    }

    /// Whether the node has an anchor or a tag, which is reported. An alias is its anchor's node again.
    private mutating func refuses(_ node: Node, at position: Diagnostic.Position) -> Bool {
        if let anchor = node.anchor {
            if self.reportedAnchors.insert(position).inserted {
                self.diagnostics.report(
                    position, "anchors (`&\(anchor.rawValue)`) are not supported: write the value where it is needed")
            }
            return true
        }
        let plain: Tag.Name =
            switch node {
            case .scalar, .alias: .str
            case .sequence: .seq
            case .mapping: .map
            }
        guard node.tag.rawValue != plain.rawValue else { return false }
        let tag = node.tag.rawValue.replacing("tag:yaml.org,2002:", with: "!!")
        self.diagnostics.report(position, "tags (`\(tag)`) are not supported: leave it out")
        return true
    }

    private func scalar(_ scalar: Node.Scalar, at position: Diagnostic.Position) -> DocumentNode.Content {
        guard !(scalar.style == .plain && scalar.string.isEmpty) else { return .empty }
        do {
            return .scalar(try self.substitution.replacing(scalar.string))
        } catch {
            self.diagnostics.report(position, "`\(scalar.string)` \(error.problem)")
            return .invalid
        }
    }

    private mutating func entries(_ mapping: Node.Mapping) -> [DocumentNode.Entry] {
        var entries: [DocumentNode.Entry] = []
        var lines: [String: Int] = [:]
        for (key, value) in mapping {
            let position = Diagnostic.Position(key.mark)
            let value = self.node(value)
            guard !self.refuses(key, at: position) else { continue }
            guard let scalar = key.scalar else {
                self.diagnostics.report(position, "a key must be text: quote a value that starts with `[` or `{`")
                continue
            }
            let name = self.hidden.name(at: position) ?? scalar.string
            if name == "<<" {
                self.diagnostics.report(
                    position, "merge keys (`<<`) are not supported: write the keys where they are needed")
            } else if let line = lines[name] {
                self.diagnostics.report(position, "duplicate key `\(name)`: it is on line \(line) already")
            } else {
                lines[name] = position.line
                entries.append(DocumentNode.Entry(key: name, position: position, value: value))
            }
        }
        return entries
    }
}

extension Diagnostic.Position {
    init(_ mark: Mark?) {
        self.init(line: mark?.line ?? 1, column: mark?.column ?? 1)
    }
}
