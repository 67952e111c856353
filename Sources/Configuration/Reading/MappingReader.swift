/// Typed access to one mapping of the file, by the rows of its keys. When it is made, it reports unknown and missing keys. Other mistakes are reported when a value is asked for: a `nil` is either absent or reported.
struct MappingReader {
    let section: Section
    let position: Diagnostic.Position
    let diagnostics: Diagnostics
    /// What the mapping is called in messages: "`log`", "a route".
    private let subject: String
    private var entries: [String: DocumentNode.Entry] = [:]

    /// - Parameters:
    ///   - subject: What the mapping is called in messages: "`log`", "a route".
    ///   - owner: What lacks a key that is missing, if that is not the subject.
    /// - Returns: `nil` where the node is not a mapping, which is reported.
    init?(
        _ node: DocumentNode, _ section: Section, subject: String, owner: String? = nil, diagnostics: Diagnostics
    ) {
        guard let entries = node.entries(subject: subject, diagnostics: diagnostics) else { return nil }
        self.section = section
        self.position = node.position
        self.diagnostics = diagnostics
        self.subject = owner ?? subject
        for entry in entries { self.add(entry) }
        for row in section.required where !self.has(row) {
            diagnostics.report(self.position, "\(self.subject) needs `\(row.name)`")
        }
    }

    private mutating func add(_ entry: DocumentNode.Entry) {
        if self.section.has(entry.key) {
            self.entries[entry.key] = entry
        } else if self.section.elsewhere.contains(where: { $0.name == entry.key }) {
            self.diagnostics.report(
                entry.position, "`\(entry.key)` is for `listeners` and `defaults`: it holds before a route is known")
        } else {
            let known = self.section.rows.map(\.name)
            self.diagnostics.report(
                entry.position, "unknown key `\(entry.key)`\(KeySuggestion.hint(for: entry.key, among: known))")
        }
    }

    // MARK: - Presence

    func has(_ row: any KeyRow) -> Bool { self.entry(row) != nil }

    func entry(_ row: any KeyRow) -> DocumentNode.Entry? {
        assert(self.section.has(row.name), "\(row.name) is not a key of \(self.section.name)")
        return self.entries[row.name]
    }

    /// The alternative that is written, of those that stand together the first. A mapping has exactly one: none or several are reported.
    func alternative() -> (any KeyRow)? {
        let written = self.section.alternatives.compactMap { $0.first(where: self.has) }
        guard let first = written.first else {
            let names = Word.choice(of: self.section.alternatives.joined().map { "`\($0.name)`" })
            self.diagnostics.report(self.position, "\(self.subject) needs \(names)")
            return nil
        }
        guard written.count == 1 else {
            self.report(written[1], "cannot stand beside `\(first.name)`: leave one of them out")
            return nil
        }
        return first
    }

    /// Reports each of the keys that is there: "`every` PROBLEM".
    func refuse(_ rows: [any KeyRow], _ problem: String) {
        for row in rows { self.report(row, problem) }
    }

    /// Reports a mistake at the place of a key, if it is there: "`every` PROBLEM".
    func report(_ row: any KeyRow, _ problem: String) {
        guard let entry = self.entry(row) else { return }
        self.diagnostics.report(entry.position, "`\(row.name)` \(problem)")
    }

    // MARK: - Values

    /// One value, read as its row says.
    func value<Row: ValueRow>(_ row: Row) -> Row.Value? { self.value(row, row.type.read) }

    /// One value that depends on other keys.
    func value<Value>(_ row: any KeyRow, _ read: (String) throws(Mistake) -> Value) -> Value? {
        self.entry(row).flatMap { self.value(of: $0, read) }
    }

    /// What a mapping says of settings that have a property for each key.
    func changes<Settings: KeyedSettings>(to type: Settings.Type = Settings.self) -> Changes<Settings> {
        var changes = Changes<Settings>()
        for field in Settings.fields {
            if let entry = self.entries[field.name], let change = self.value(of: entry, field.read) {
                changes.append(change)
            }
        }
        return changes
    }

    private func value<Value>(
        of entry: DocumentNode.Entry, _ read: (String) throws(Mistake) -> Value
    ) -> Value? {
        entry.value.value(subject: "`\(entry.key)`", diagnostics: self.diagnostics, read)
    }

    /// A list of values. Those with mistakes are left out. A list that must not be empty is reported.
    func values<Element>(_ row: ListKey<Element>) -> [Element]? {
        let nodes = row.defaultText == nil ? self.filledNodes(row) : self.nodes(row)
        return nodes.map { self.values(of: $0, in: row, row.type.read) }
    }

    /// The values of the entries of a list.
    func values<Value>(
        of nodes: [DocumentNode], in row: any KeyRow, _ read: (String) throws(Mistake) -> Value
    ) -> [Value] {
        nodes.compactMap { $0.value(subject: "an entry of `\(row.name)`", diagnostics: self.diagnostics, read) }
    }

    /// The entries of a list.
    func nodes(_ row: any KeyRow) -> [DocumentNode]? {
        guard let entry = self.entry(row) else { return nil }
        if let nodes = entry.value.listOfVariable { return nodes }
        switch entry.value.content {
        case .list(let nodes): return nodes
        case .invalid: return nil
        case .empty:
            self.report(row, "has no value: leave it out, or write `[]`")
        case .scalar(let text):
            self.diagnostics.report(
                entry.value.position, "`\(row.name)` must be a list, not `\(text)`: write `[\(text)]`")
        case .mapping:
            self.diagnostics.report(entry.value.position, "`\(row.name)` must be a list, not a mapping")
        }
        return nil
    }

    /// A list that has at least one entry.
    ///
    /// - Parameter hint: What else to write for an empty one.
    func filledNodes(_ row: any KeyRow, hint: String? = nil) -> [DocumentNode]? {
        guard let nodes = self.nodes(row) else { return nil }
        guard !nodes.isEmpty else {
            self.report(row, "must not be empty" + (hint.map { ": \($0)" } ?? ""))
            return nil
        }
        return nodes
    }

    /// One value, or the values of a list that has at least one. Those with mistakes are left out.
    ///
    /// - Parameter hint: What else to write for an empty list.
    func oneOrMore<Element>(_ row: OneOrListKey<Element>, hint: String) -> [Element]? {
        guard let entry = self.entry(row), case .scalar = entry.value.content, entry.value.listOfVariable == nil else {
            return self.filledNodes(row, hint: hint).map { self.values(of: $0, in: row, row.type.read) }
        }
        return self.value(of: entry, row.type.read).map { [$0] }
    }

    /// The mapping under a key.
    func mapping<Rows>(_ row: MappingKey<Rows>) -> MappingReader? {
        self.entry(row).flatMap {
            MappingReader(
                $0.value, row.keys.section, subject: "`\(row.name)`", diagnostics: self.diagnostics)
        }
    }

    /// The mapping under a key, or `off`.
    func mappingOrOff<Rows>(_ row: MappingKey<Rows>) -> Switched<MappingReader>? {
        guard let entry = self.entry(row), case .scalar(let text) = entry.value.content else {
            return self.mapping(row).map { .on($0) }
        }
        guard text == "off" else {
            var hint = Switched<MappingReader>.meansOff(text) ? ": did you mean `off`?" : ""
            // Some write the most important value alone: `heartbeat: 25s`.
            if hint.isEmpty, text.first?.isNumber == true, let first = row.keys.section.rows.first {
                hint = ": write `{\(first.name): \(text)}`"
            }
            self.diagnostics.report(
                entry.value.position, "`\(row.name)` must be a mapping (`key: value`) or `off`, not `\(text)`\(hint)")
            return nil
        }
        return .off
    }
}

extension DocumentNode {
    /// The entries of a mapping; anything else is reported.
    func entries(subject: String, diagnostics: Diagnostics) -> [DocumentNode.Entry]? {
        switch self.content {
        case .mapping(let entries): return entries
        case .invalid: break
        case .empty: diagnostics.report(self.position, "\(subject) has no value: leave it out, or write `{}`")
        case .scalar, .list:
            diagnostics.report(self.position, "\(subject) must be a mapping (`key: value`), not \(self.kind)")
        }
        return nil
    }

    /// The value of a scalar; anything else, and what the reader refuses, is reported.
    func value<Value>(
        subject: String, diagnostics: Diagnostics, _ read: (String) throws(Mistake) -> Value
    ) -> Value? {
        switch self.content {
        case .scalar(let text):
            do {
                return try read(text)
            } catch {
                diagnostics.report(self.position, "\(subject) \(error.problem)")
            }
        case .invalid: break
        case .empty: diagnostics.report(self.position, "\(subject) has no value")
        case .list:
            diagnostics.report(
                self.position, "\(subject) must be one value, not a list: quote a value that starts with `[`")
        case .mapping:
            diagnostics.report(self.position, "\(subject) must be one value, not a mapping")
        }
        return nil
    }
}
