/// `backends:`, by name.
struct BackendsSection {
    /// Those without mistakes.
    private(set) var settings: [String: BackendSettings] = [:]
    private var sections: [String: BackendSection] = [:]
    /// Every name, also of those with mistakes: a route that leads to one has none itself.
    private var names: [String] = []

    init(_ node: DocumentNode?, diagnostics: Diagnostics) {
        guard let node, let entries = node.entries(subject: "`backends`", diagnostics: diagnostics) else { return }
        for entry in entries {
            self.names.append(entry.key)
            do {
                _ = try Word.name(entry.key)
            } catch {
                diagnostics.report(entry.position, "a backend's name \(error.problem)")
            }
            guard let section = BackendSection(entry, diagnostics: diagnostics) else { continue }
            self.sections[entry.key] = section
            self.settings[entry.key] = section.settings
        }
    }

    /// Reads the name of a backend.
    ///
    /// - Throws: A `Mistake` where there is none of this name, with the nearest.
    func name(_ text: String) throws(Mistake) -> String {
        guard self.names.contains(text) else {
            throw Mistake(
                "must be the name of a backend, not `\(text)`" + KeySuggestion.hint(for: text, among: self.names))
        }
        return text
    }

    /// What a backend says of the sessions that routes lead to it.
    func session(of action: RouteSettings.Action) -> SessionSection {
        switch action {
        case .page: SessionSection()
        case .backend(let name): self.sections[name]?.session ?? SessionSection()
        }
    }
}
