/// Typed access to one mapping of the file. Unknown keys and keys whose time has not come are reported when it is made;
/// everything else that is wrong when it is asked for. A `nil` is either absent or reported.
struct MappingReader {
    let section: Section
    let position: SourcePosition
    let diagnostics: Diagnostics
    private var entries: [String: DocumentEntry] = [:]

    /// - Parameters:
    ///   - subject: What the mapping is called in messages: "`log`", "a route".
    /// - Returns: `nil` where the node is not a mapping, which is reported.
    init?(_ node: DocumentNode, _ section: Section, subject: String, diagnostics: Diagnostics) {
        guard let entries = node.entries(subject: subject, diagnostics: diagnostics) else { return nil }
        self.section = section
        self.position = node.position
        self.diagnostics = diagnostics
        for entry in entries { self.add(entry) }
    }

    private mutating func add(_ entry: DocumentEntry) {
        if self.section.keys.contains(entry.key) {
            self.entries[entry.key] = entry
        } else if let later = self.section.laterKeys[entry.key] {
            guard !later.accepts(entry.value.content) else { return }
            self.diagnostics.report(entry.position, "`\(entry.key)` is not yet supported\(later.hint)")
        } else {
            let known = self.section.keys + self.section.laterKeys.keys.sorted()
            self.diagnostics.report(
                entry.position, "unknown key `\(entry.key)`\(KeySuggestion.hint(for: entry.key, among: known))")
        }
    }

    // MARK: - Presence

    func has(_ key: String) -> Bool {
        self.entry(key) != nil
    }

    func entry(_ key: String) -> DocumentEntry? {
        assert(self.section.keys.contains(key), "\(key) is not a key of \(self.section)")
        return self.entries[key]
    }

    /// Reports a key that is missing, at the mapping's place.
    func require(_ key: String, of subject: String) {
        guard !self.has(key) else { return }
        self.diagnostics.report(self.position, "\(subject) needs `\(key)`")
    }

    /// Reports each of the keys that is there: "`every` PROBLEM".
    func refuse(_ keys: [String], _ problem: String) {
        for key in keys { self.report(key, problem) }
    }

    /// Reports a mistake at the place of a key, if it is there: "`every` PROBLEM".
    func report(_ key: String, _ problem: String) {
        guard let entry = self.entry(key) else { return }
        self.diagnostics.report(entry.position, "`\(key)` \(problem)")
    }

    // MARK: - Values

    /// One value, read from its text.
    func value<Value>(_ key: String, _ read: (String) throws(Mistake) -> Value) -> Value? {
        self.entry(key).flatMap { $0.value.value(subject: "`\(key)`", diagnostics: self.diagnostics, read) }
    }

    /// A list of values. Those with mistakes are left out.
    func values<Value>(_ key: String, _ read: (String) throws(Mistake) -> Value) -> [Value]? {
        self.nodes(key)?.compactMap { $0.value(subject: "an entry of `\(key)`", diagnostics: self.diagnostics, read) }
    }

    /// The entries of a list.
    func nodes(_ key: String) -> [DocumentNode]? {
        guard let entry = self.entry(key) else { return nil }
        if let nodes = entry.value.listOfVariable { return nodes }
        switch entry.value.content {
        case .list(let nodes): return nodes
        case .invalid: return nil
        case .empty:
            self.report(key, "has no value: leave it out, or write `[]`")
        case .scalar(let text):
            self.diagnostics.report(entry.value.position, "`\(key)` must be a list, not `\(text)`: write `[\(text)]`")
        case .mapping:
            self.diagnostics.report(entry.value.position, "`\(key)` must be a list, not a mapping")
        }
        return nil
    }

    /// A list that has at least one entry.
    func filledNodes(_ key: String) -> [DocumentNode]? {
        guard let nodes = self.nodes(key) else { return nil }
        guard !nodes.isEmpty else {
            self.report(key, "must not be empty")
            return nil
        }
        return nodes
    }

    /// The mapping under a key, or `off`.
    func mappingOrOff(_ key: String, _ section: Section) -> Switched<MappingReader>? {
        guard let entry = self.entry(key), case .scalar(let text) = entry.value.content else {
            return self.mapping(key, section).map { .on($0) }
        }
        guard text == "off" else {
            var hint = Switched<MappingReader>.meansOff(text) ? ": did you mean `off`?" : ""
            // The one value that others would write without its key: `heartbeat: 25s`.
            if hint.isEmpty, text.first?.isNumber == true { hint = ": write `{\(section.keys[0]): \(text)}`" }
            self.diagnostics.report(
                entry.value.position, "`\(key)` must be a mapping (`key: value`) or `off`, not `\(text)`\(hint)")
            return nil
        }
        return .off
    }

    /// The mapping under a key.
    func mapping(_ key: String, _ section: Section) -> MappingReader? {
        self.entry(key).flatMap { MappingReader($0.value, section, subject: "`\(key)`", diagnostics: self.diagnostics) }
    }
}

extension LaterKey {
    fileprivate var hint: String {
        switch self {
        case .off: ""
        case .present(let word): ": only `\(word)` is"
        }
    }
}

extension DocumentNode {
    /// The entries of a mapping; anything else is reported.
    func entries(subject: String, diagnostics: Diagnostics) -> [DocumentEntry]? {
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
