/// The file as a whole.
struct GatewaySection {
    private let mapping: MappingReader

    init?(_ root: DocumentNode, diagnostics: Diagnostics) {
        guard
            let mapping = MappingReader(
                root, Keys.gateway.section, subject: "the file", owner: "the gateway", diagnostics: diagnostics)
        else { return nil }
        self.mapping = mapping
    }

    /// The configuration. It counts only where no mistake was reported.
    ///
    /// - Parameter automaticMemory: How many bytes `memory: auto` is, where that is known.
    func configuration(automaticMemory: Int?) -> GatewayConfiguration {
        let keys = Keys.gateway
        var configuration = GatewayConfiguration()
        configuration.workers = self.mapping.value(keys.workers) ?? configuration.workers
        configuration.memory = self.mapping.value(keys.memory) ?? configuration.memory
        self.mapping.mapping(keys.names)?.changes().apply(to: &configuration.names)
        self.mapping.mapping(keys.log)?.changes().apply(to: &configuration.log)
        self.mapping.mapping(keys.drain)?.changes().apply(to: &configuration.drain)
        configuration.cluster = self.mapping.mapping(keys.cluster).flatMap { ClusterSection.settings($0) }
        let trusted = self.trustedProxies()
        configuration.trustedProxies = trusted ?? configuration.trustedProxies
        let defaults = self.mapping.mapping(keys.defaults)
        let timeouts = defaults?.mapping(Keys.defaults.timeouts)
        let limits = defaults?.mapping(Keys.defaults.limits)
        limits?.changes().apply(to: &configuration.scope)
        var lines: [Address: Int] = [:]
        configuration.listeners = self.listeners(
            defaults: ListenerRules(timeouts: timeouts, limits: limits), trusted: trusted, lines: &lines)
        configuration.admin = AdminSection.settings(self.mapping, listeners: lines)
        let rules =
            defaults.map { SessionRules($0, Keys.defaults.rules, timeouts: timeouts, limits: limits) } ?? SessionRules()
        let backends = BackendsSection(
            self.mapping.entry(keys.backends)?.value, diagnostics: self.mapping.diagnostics)
        configuration.backends = backends.settings
        configuration.routes = self.routes(
            defaults: rules, backends: backends, listeners: configuration.listeners, trusted: trusted)
        backends.warnOfUnused(by: configuration.routes)
        self.warnOfLittle(configuration.memory ?? automaticMemory.map { .bytes($0) }, for: configuration.routes)
        if trusted == TrustedProxies(), !self.hasTLSListener { backends.refuseCrossSiteCookies() }
        return configuration
    }

    /// The last quarter of the memory is for messages that were begun: one has to fit.
    private func warnOfLittle(_ memory: ByteCount?, for routes: [RouteSettings]) {
        let largest = routes.max { $0.limits.message < $1.limits.message }
        guard let memory, let largest, memory.rawValue / 4 < largest.limits.message.rawValue else { return }
        self.mapping.diagnostics.warn(
            self.mapping.entry(Keys.gateway.memory)?.position ?? self.mapping.position,
            "`memory` is `\(memory)`, less than four times the `\(largest.limits.message)` that `limits.message` allows "
                + "on route `\(largest.name)`")
    }

    /// - Returns: `nil` where there are mistakes in them, which are reported.
    private func trustedProxies() -> TrustedProxies? {
        let key = Keys.gateway.trustedProxies
        guard self.mapping.has(key) else { return TrustedProxies() }
        guard let nodes = self.mapping.nodes(key) else { return nil }
        // `nil` stands for the word `unix`.
        let networks = self.mapping.values(of: nodes, in: key, key.type.read)
        guard networks.count == nodes.count else { return nil }
        return TrustedProxies(networks: networks.compactMap { $0 }, unix: networks.contains(nil))
    }

    /// - Parameter lines: Gets the line of each address that is taken.
    private func listeners(
        defaults: ListenerRules, trusted: TrustedProxies?, lines: inout [Address: Int]
    ) -> [ListenerSettings] {
        var listeners: [ListenerSettings] = []
        for node in self.mapping.filledNodes(Keys.gateway.listeners) ?? [] {
            guard let section = ListenerSection(node, diagnostics: self.mapping.diagnostics),
                let settings = section.settings(defaults: defaults, trusted: trusted)
            else { continue }
            section.reportTaken(settings.address, lines: &lines)
            listeners.append(settings)
        }
        return listeners
    }

    /// Whether a listener is meant to have TLS. What is wrong with it is reported elsewhere.
    private var hasTLSListener: Bool {
        guard case .list(let nodes)? = self.mapping.entry(Keys.gateway.listeners)?.value.content else { return true }
        return nodes.contains { node in
            guard case .mapping(let entries) = node.content else { return true }
            return entries.contains { $0.key == Keys.listener.tls.name }
        }
    }

    private func routes(
        defaults: SessionRules, backends: BackendsSection, listeners: [ListenerSettings], trusted: TrustedProxies?
    ) -> [RouteSettings] {
        var routes: [RouteSettings] = []
        var reach = RouteReach(listeners, trusted: trusted)
        var lines: [String: Int] = [:]
        for node in self.mapping.nodes(Keys.gateway.routes) ?? [] {
            guard let section = RouteSection(node, diagnostics: self.mapping.diagnostics) else { continue }
            section.reportTakenName(lines: &lines)
            guard let route = section.settings(defaults: defaults, backends: backends) else { continue }
            section.warnOfExposure(route, on: listeners)
            section.warnOfOthers(before: route, &reach)
            routes.append(route)
        }
        return routes
    }
}
