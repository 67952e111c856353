/// The file as a whole.
struct GatewaySection {
    private let mapping: MappingReader

    init?(_ root: DocumentNode, diagnostics: Diagnostics) {
        guard let mapping = MappingReader(root, .gateway, subject: "the file", diagnostics: diagnostics) else {
            return nil
        }
        self.mapping = mapping
    }

    /// The configuration. It counts only where no mistake was reported.
    ///
    /// - Parameter automaticMemory: How many bytes `memory: auto` is, where that is known.
    func configuration(automaticMemory: Int?) -> GatewayConfiguration {
        var configuration = GatewayConfiguration()
        configuration.workers = self.mapping.value("workers", Self.workers) ?? nil
        configuration.memory = self.mapping.value("memory", Self.memory) ?? nil
        configuration.names = self.mapping.mapping("names", .names).map { NameSettings($0) } ?? NameSettings()
        configuration.log = self.mapping.mapping("log", .log).map(LogSettings.init) ?? LogSettings()
        configuration.trustedProxies = self.trustedProxies()
        var lines: [Address: Int] = [:]
        configuration.listeners = self.listeners(lines: &lines)
        configuration.admin = AdminSection.settings(self.mapping, listeners: lines)
        configuration.drain = self.mapping.mapping("drain", .drain).map { DrainSettings($0) } ?? DrainSettings()
        let defaults = self.mapping.mapping("defaults", .defaults).map { SessionSection($0) } ?? SessionSection()
        let backends = BackendsSection(self.mapping.entry("backends")?.value, diagnostics: self.mapping.diagnostics)
        configuration.backends = backends.settings
        configuration.routes = self.routes(defaults: defaults, backends: backends)
        self.warnOfLittle(configuration.memory ?? automaticMemory.map { .bytes($0) }, for: configuration.routes)
        return configuration
    }

    private static func workers(_ text: String) throws(Mistake) -> Int? {
        guard text != "auto" else { return nil }
        do {
            return try Quantity.count(1...1024)(text)
        } catch {
            throw .expected("`auto` or a number from 1 to 1024", not: text)
        }
    }

    private static let memories = ByteCount.mebibytes(1)...ByteCount.bytes(1 << 50)

    private static func memory(_ text: String) throws(Mistake) -> ByteCount? {
        text == "auto" ? nil : try Quantity.size(self.memories)(text)
    }

    /// The last quarter of the memory is for messages that were begun: one has to fit.
    private func warnOfLittle(_ memory: ByteCount?, for routes: [RouteSettings]) {
        let largest = routes.max { $0.limits.message < $1.limits.message }
        guard let memory, let largest, memory.rawValue / 4 < largest.limits.message.rawValue else { return }
        let size = Quantity.text(largest.limits.message)
        self.mapping.diagnostics.warn(
            self.mapping.entry("memory")?.position ?? self.mapping.position,
            "`memory` is \(Quantity.text(memory)), less than four times the \(size) that `limits.message` allows "
                + "on route `\(largest.name)`")
    }

    private func trustedProxies() -> TrustedProxies {
        // `nil` stands for the word.
        let networks = self.mapping.values("trusted-proxies") { text throws(Mistake) -> IPNetwork? in
            if text == "unix" { return nil }
            guard let network = IPNetwork(text) else {
                let hint = text.hasPrefix("unix:") ? "`unix` alone stands for every socket" : nil
                throw .expected(
                    "`unix` or an address or network such as `10.0.0.0/8` or `\"fd00::/8\"`", not: text, hint: hint)
            }
            return network
        }
        return TrustedProxies(networks: networks?.compactMap { $0 } ?? [], unix: networks?.contains(nil) ?? false)
    }

    /// - Parameter lines: Gets the line of each address that is taken.
    private func listeners(lines: inout [Address: Int]) -> [ListenerSettings] {
        self.mapping.require("listeners", of: "the gateway")
        var listeners: [ListenerSettings] = []
        for node in self.mapping.filledNodes("listeners") ?? [] {
            guard let section = ListenerSection(node, diagnostics: self.mapping.diagnostics),
                let settings = section.settings
            else { continue }
            section.reportTaken(settings.address, lines: &lines)
            listeners.append(settings)
        }
        return listeners
    }

    private func routes(defaults: SessionSection, backends: BackendsSection) -> [RouteSettings] {
        var routes: [RouteSettings] = []
        var lines: [String: Int] = [:]
        for node in self.mapping.nodes("routes") ?? [] {
            guard let section = RouteSection(node, diagnostics: self.mapping.diagnostics) else { continue }
            section.reportTakenName(lines: &lines)
            if let route = section.settings(defaults: defaults, backends: backends) { routes.append(route) }
        }
        return routes
    }
}

extension LogSettings {
    fileprivate init(_ mapping: MappingReader) {
        self.init()
        self.format = mapping.value("format", Word.of(Format.self)) ?? self.format
        self.level = mapping.value("level", Word.of(Level.self)) ?? self.level
        self.file = mapping.value("file", Word.path)
    }
}

extension NameSettings {
    /// Name servers are asked no more often than that by anybody.
    private static let intervals = Duration.seconds(1)...Duration.seconds(86400)

    fileprivate init(_ mapping: MappingReader) {
        self.init()
        self.refresh = mapping.value("refresh", Quantity.duration(Self.intervals)) ?? self.refresh
    }
}

extension DrainSettings {
    private static let times = Duration.zero...Duration.seconds(86400)

    fileprivate init(_ mapping: MappingReader) {
        self.init()
        self.delay = mapping.value("delay", Quantity.duration(Self.times)) ?? self.delay
        self.over = mapping.value("over", Quantity.duration(Self.times)) ?? self.over
        self.rate = mapping.value("rate", Switched.reader(Quantity.rate(Quantity.closes)))?.value
    }
}
