/// `backends:`, by name.
struct BackendsSection {
    /// Those without mistakes.
    private(set) var settings: [String: BackendSettings] = [:]
    private var sections: [String: BackendSection] = [:]
    /// Every name, in the order of the file. Backends with mistakes count: a route that leads to one is not itself wrong.
    private var names: [(name: String, position: Diagnostic.Position)] = []
    private var known: Set<String> = []

    /// After this many mistakes the nearest name is not looked for any more.
    private static let mostHints = 50

    private let diagnostics: Diagnostics

    init(_ node: DocumentNode?, diagnostics: Diagnostics) {
        self.diagnostics = diagnostics
        guard let node, let entries = node.entries(subject: "`\(Keys.gateway.backends.name)`", diagnostics: diagnostics)
        else { return }
        for entry in entries {
            self.names.append((entry.key, entry.position))
            self.known.insert(entry.key)
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

    /// Reports cookies for pages of other sites, where no client can come by https.
    func refuseCrossSiteCookies() {
        for section in self.sections.values { section.refuseCrossSiteCookie() }
    }

    /// Warns of those to which no route leads.
    func warnOfUnused(by routes: [RouteSettings]) {
        let used = Set(routes.compactMap(\.action.backend))
        for (name, position) in self.names where !used.contains(name) {
            self.diagnostics.warn(position, "no route leads to the backend `\(name)`: name it in one, or remove it")
        }
    }

    /// Reads the name of a backend.
    ///
    /// - Throws: A `Mistake` where there is none of this name, with the nearest.
    func name(_ text: String) throws(Mistake) -> String {
        guard self.known.contains(text) else {
            // A file of thousands of routes and backends may have as many mistakes, and each name is compared with every backend's.
            let candidates = self.diagnostics.count < Self.mostHints ? self.names.map(\.name) : []
            throw Mistake(
                "must be the name of a backend, not `\(text)`" + KeySuggestion.hint(for: text, among: candidates))
        }
        return text
    }

    /// Reads the name of a backend with rooms.
    ///
    /// - Throws: A `Mistake` where there is none of this name, or it has no rooms. A backend with mistakes may be meant as one.
    func roomsName(_ text: String) throws(Mistake) -> String {
        let name = try self.name(text)
        guard self.mayBeRoom(.backend(name)) else {
            throw Mistake("must be the name of a `builtin: broadcast` backend, which `\(name)` is not")
        }
        return name
    }

    /// Whether plain requests can be passed on: to a WebSocket backend. One with mistakes may be meant as one.
    func mayTakeRequests(_ action: RouteSettings.Action) -> Bool {
        guard case .backend(let name) = action else { return false }
        return switch self.settings[name]?.kind {
        case .websocket, nil: true
        case .builtin, .tcp, .tokens: false
        }
    }

    /// Whether it leads to rooms. A backend with mistakes may be meant as one.
    func mayBeRoom(_ action: RouteSettings.Action) -> Bool {
        guard let name = action.backend else { return false }
        return switch self.settings[name]?.kind {
        case .builtin(.broadcast), nil: true
        case .builtin, .websocket, .tcp, .tokens: false
        }
    }

    /// Whether a request that has this path alone names no room.
    func lackRoom(_ action: RouteSettings.Action, on path: PathPattern) -> Bool {
        guard path == .exact("/"), action.opensSessions, let name = action.backend else { return false }
        return self.settings[name]?.kind == .builtin(.broadcast)
    }

    /// Whether the token of a request is what the `*` of its route's path stands for.
    func takeTokensFromPath(_ action: RouteSettings.Action) -> Bool {
        action.backend.flatMap { self.settings[$0]?.tokenPlace } == .path
    }

    /// The parameter of a request's query that chooses its endpoint; `nil`: none does.
    func choosingParameter(_ action: RouteSettings.Action) -> String? {
        guard let backend = action.backend.flatMap({ self.settings[$0] }) else { return nil }
        switch (backend.tokenPlace, backend.balance) {
        case (.query(let name), _), (_, .hashQuery(let name)): return name
        default: return nil
        }
    }

    /// What the backend of an action says of the sessions of its routes.
    func rules(for action: RouteSettings.Action) -> SessionRules {
        action.backend.flatMap { self.sections[$0]?.rules } ?? SessionRules()
    }
}
