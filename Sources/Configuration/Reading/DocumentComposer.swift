/// Turns the text of a file into nodes. Only plain data is accepted: anchors, aliases, merge keys, tags, a second
/// document and duplicate keys are refused.
struct DocumentComposer {
    /// The most lists and mappings in one another: ours have six.
    private static let mostLevels = 64

    private let diagnostics: Diagnostics
    private let substitution: Substitution
    private var anchors: Set<String> = []
    /// How many lists and mappings the next node is in.
    private var level = 0

    /// The root of the document; `nil` where it is empty, or so wrong that nothing can be read.
    ///
    /// - Parameter environment: The variables; `nil`: references to them stay as they are.
    static func compose(_ text: String, environment: [String: String]?, diagnostics: Diagnostics) -> DocumentNode? {
        var composer = Self(diagnostics: diagnostics, substitution: Substitution(environment: environment))
        return composer.compose(text)
    }

    private init(diagnostics: Diagnostics, substitution: Substitution) {
        self.diagnostics = diagnostics
        self.substitution = substitution
    }

    private mutating func compose(_ text: String) -> DocumentNode? {
        guard !self.reportsCharacters(of: text) else { return nil }
        do throws(SyntaxMistake) {
            return try self.document(of: YAMLParser(text))
        } catch {
            error.report(to: self.diagnostics)
            return nil
        }
    }

    /// - Returns: `nil` if there is none.
    private mutating func document(of parser: borrowing YAMLParser) throws(SyntaxMistake) -> DocumentNode? {
        guard case .documentBegins = try parser.next().kind else { return nil }
        let root = try self.node(parser.next(), parser)
        while true {
            let event = try parser.next()
            switch event.kind {
            case .documentBegins: throw SyntaxMistake("a second document (`---`) in the file", at: event.position)
            case .streamEnds: return root
            default: break
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

    /// The node that `event` begins, and the rest of it.
    private mutating func node(
        _ event: YAMLParser.Event, _ parser: borrowing YAMLParser
    ) throws(SyntaxMistake) -> DocumentNode {
        let isRefused = self.refuses(event)
        var node = DocumentNode(position: event.position, content: .invalid)
        switch event.kind {
        case .scalar(let text, let isPlain):
            guard !isRefused else { return node }
            node.content = self.scalar(text, isPlain: isPlain, at: event.position)
            node.isVariable = Substitution.isOneReference(text)
        case .listBegins:
            try self.enter(event)
            node.content = .list(try self.list(parser))
            self.level -= 1
        case .mappingBegins:
            try self.enter(event)
            node.content = .mapping(try self.entries(parser))
            self.level -= 1
        case .alias(let name):
            // The anchor itself is refused.
            guard !self.anchors.contains(name) else { return node }
            SyntaxMistake("found undefined alias", at: event.position).report(to: self.diagnostics)
        case .documentBegins, .documentEnds, .streamEnds, .ends: break
        }
        if isRefused { node.content = .invalid }
        return node
    }

    /// A list or mapping begins.
    private mutating func enter(_ event: YAMLParser.Event) throws(SyntaxMistake) {
        guard self.level < Self.mostLevels else { throw SyntaxMistake("nested too deep", at: event.position) }
        self.level += 1
    }

    /// Whether the node has an anchor or a tag, which is reported.
    private mutating func refuses(_ event: YAMLParser.Event) -> Bool {
        if let anchor = event.anchor {
            self.anchors.insert(anchor)
            self.diagnostics.report(
                event.position, "anchors (`&\(anchor)`) are not supported: write the value where it is needed")
            return true
        }
        guard let tag = event.tag, tag != event.plainTag else { return false }
        let short = tag.replacing("tag:yaml.org,2002:", with: "!!")
        self.diagnostics.report(event.position, "tags (`\(short)`) are not supported: leave it out")
        return true
    }

    private func scalar(_ text: String, isPlain: Bool, at position: Diagnostic.Position) -> DocumentNode.Content {
        guard !(isPlain && text.isEmpty) else { return .empty }
        do {
            return .scalar(try self.substitution.replacing(text))
        } catch {
            self.diagnostics.report(position, "`\(text)` \(error.problem)")
            return .invalid
        }
    }

    private mutating func list(_ parser: borrowing YAMLParser) throws(SyntaxMistake) -> [DocumentNode] {
        var nodes: [DocumentNode] = []
        while true {
            let event = try parser.next()
            if case .ends = event.kind { return nodes }
            nodes.append(try self.node(event, parser))
        }
    }

    private mutating func entries(_ parser: borrowing YAMLParser) throws(SyntaxMistake) -> [DocumentNode.Entry] {
        var entries: [DocumentNode.Entry] = []
        var lines: [String: Int] = [:]
        while true {
            let event = try parser.next()
            if case .ends = event.kind { return entries }
            let name = try self.key(event, parser)
            let value = try self.node(parser.next(), parser)
            guard let name else { continue }
            if name == "<<" {
                self.diagnostics.report(
                    event.position, "merge keys (`<<`) are not supported: write the keys where they are needed")
            } else if let line = lines[name] {
                self.diagnostics.report(event.position, "duplicate key `\(name)`: it is on line \(line) already")
            } else {
                lines[name] = event.position.line
                entries.append(DocumentNode.Entry(key: name, position: event.position, value: value))
            }
        }
    }

    /// - Returns: `nil` if it is none, which is reported.
    private mutating func key(
        _ event: YAMLParser.Event, _ parser: borrowing YAMLParser
    ) throws(SyntaxMistake) -> String? {
        // Variables are not replaced in a key.
        if case .scalar(let text, _) = event.kind { return self.refuses(event) ? nil : text }
        let node = try self.node(event, parser)
        switch node.content {
        case .list, .mapping:
            self.diagnostics.report(
                event.position, "a key must be text: quote a value that starts with `[` or `{`")
        case .empty, .scalar, .invalid: break
        }
        return nil
    }
}

extension YAMLParser.Event {
    /// The tag that a node has anyway.
    fileprivate var plainTag: String {
        switch self.kind {
        case .listBegins: "tag:yaml.org,2002:seq"
        case .mappingBegins: "tag:yaml.org,2002:map"
        default: "tag:yaml.org,2002:str"
        }
    }
}
