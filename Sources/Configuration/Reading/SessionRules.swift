/// The rules for sessions in `defaults`, a backend or a route, as changes to a route.
struct SessionRules {
    private var changes = Changes<RouteSettings>()

    /// Nothing is written.
    init() {}

    /// - Parameters:
    ///   - mapping: `defaults` or a route.
    ///   - keys: Its rows.
    ///   - timeouts: The mapping under that key, if it is written.
    ///   - limits: Likewise.
    init(_ mapping: MappingReader, _ keys: Keys.SessionRule, timeouts: MappingReader?, limits: MappingReader?) {
        self.changes = mapping.changes()
        self.changes.append(AllowSection.networks(mapping, keys.allow), to: \.allow)
        self.changes.append(Self.origins(mapping, keys.origins), to: \.origins)
        self.changes.append(AuthSection.settings(mapping, keys.auth), to: \.auth)
        self.changes.append(timeouts?.changes(), to: \.timeouts)
        self.changes.append(limits?.changes(), to: \.limits)
        if let heartbeat = Self.heartbeat(mapping, keys.heartbeat) {
            self.changes.append { route in
                route.heartbeat = heartbeat(route.heartbeat)
                route.backendHeartbeat = heartbeat(route.backendHeartbeat)
            }
        }
    }

    /// - Parameter mapping: A backend. Its rules are for the sessions of all routes to it.
    init(backend mapping: MappingReader) {
        self.changes.append(mapping.mapping(Keys.backend.timeouts)?.changes(), to: \.timeouts)
        self.changes.append(mapping.mapping(Keys.backend.limits)?.changes(), to: \.limits)
        if let heartbeat = Self.heartbeat(mapping, Keys.backend.heartbeat) {
            self.changes.append { $0.backendHeartbeat = heartbeat($0.backendHeartbeat) }
        }
    }

    func apply(to route: inout RouteSettings) { self.changes.apply(to: &route) }

    private static func origins(_ mapping: MappingReader, _ key: Key<OriginPolicy>) -> OriginPolicy? {
        let node = mapping.entry(key)?.value
        // The value of a variable is a word, or a list of one or more origins.
        guard case .scalar(let text)? = node?.content, node?.isVariable == false || OriginPolicy.words.contains(text)
        else {
            return mapping.nodes(key).map { nodes in
                .list(mapping.values(of: nodes, in: key) { text throws(Mistake) in try OriginPattern(parsing: text) })
            }
        }
        return mapping.value(key)
    }

    /// - Returns: What becomes of a heartbeat; one that was off starts from its defaults. `nil`: nothing is written.
    private static func heartbeat(
        _ mapping: MappingReader, _ key: MappingKey<Keys.Heartbeat>
    ) -> ((HeartbeatSettings?) -> HeartbeatSettings?)? {
        switch mapping.mappingOrOff(key) {
        case .on(let parts):
            let changes = parts.changes(to: HeartbeatSettings.self)
            return { changes.applied(to: $0 ?? HeartbeatSettings()) }
        case .off: return { _ in nil }
        case nil: return nil
        }
    }
}
