/// `admin:` an address, `off`, or a mapping.
enum AdminSection {
    /// - Parameters:
    ///   - file: The section that has the key.
    ///   - listeners: The lines of the listeners by their addresses, which are taken.
    /// - Returns: `nil` where there is no address, or a wrong one, which is reported.
    static func settings(_ file: MappingReader, listeners: [Address: Int]) -> GatewayConfiguration.Admin? {
        let key = Keys.gateway.admin
        guard case .mapping? = file.entry(key)?.value.content else {
            guard let address = file.value(key, Keys.admin.address.type.orOff.read) ?? nil else { return nil }
            self.refuseTaken(address, file, key: key, listeners: listeners)
            let settings = GatewayConfiguration.Admin(address: address)
            self.warnOfOpen(settings, file, key: key)
            return settings
        }
        guard let mapping = file.mapping(key) else { return nil }
        return self.settings(of: mapping, listeners: listeners)
    }

    private static func settings(
        of mapping: MappingReader, listeners: [Address: Int]
    ) -> GatewayConfiguration.Admin? {
        let keys = Keys.admin
        let address = mapping.value(keys.address)
        let hosts = mapping.values(keys.hosts) ?? []
        let readOnly = mapping.value(keys.readOnly)
        let payloads = mapping.value(keys.payloads)
        let auth = mapping.mappingOrOff(keys.auth)
        let users = auth?.value?.mapping(Keys.adminAuth.basic).flatMap(self.users)
        let metrics = mapping.value(keys.metrics)
        let tls = mapping.mapping(keys.tls).flatMap { ListenerSection.tls($0, on: address) }
        guard let address else { return nil }
        self.refuseTaken(address, mapping, key: keys.address, listeners: listeners)
        var settings = GatewayConfiguration.Admin(address: address)
        settings.hosts = hosts
        settings.access = FileAccessSection.settings(
            mapping, keys.access, of: address, otherwise: "only the gateway's own user may connect")
        settings.readOnly = readOnly ?? settings.readOnly
        settings.payloads = payloads ?? settings.payloads
        settings.auth = users
        settings.metrics = metrics ?? settings.metrics
        settings.tls = tls
        // A wrong `auth` has its own report.
        let isOpen = if case .off? = auth { true } else { !mapping.has(keys.auth) }
        if isOpen { self.checkOpen(settings, mapping) }
        self.warn(of: settings, mapping)
        return settings
    }

    private static func users(_ mapping: MappingReader) -> BasicSettings? {
        let changes = mapping.changes(to: BasicSettings.self)
        return mapping.value(Keys.basic.file).map { changes.applied(to: BasicSettings(file: $0)) }
    }

    private static func refuseTaken(
        _ address: Address, _ mapping: MappingReader, key: any KeyRow, listeners: [Address: Int]
    ) {
        if let line = listeners[address] {
            mapping.report(key, "is taken: the listener on line \(line) is on \(address) already")
        }
    }

    /// What is not for every client of the address.
    private static func checkOpen(_ settings: GatewayConfiguration.Admin, _ mapping: MappingReader) {
        guard settings.payloads, !settings.address.isOfThisMachine else {
            return self.warnOfOpen(settings, mapping, key: Keys.admin.address)
        }
        mapping.report(
            Keys.admin.payloads,
            "needs `auth`, a `unix:` or a loopback address: without them any client of \(settings.address) could read messages"
        )
    }

    private static func warnOfOpen(
        _ settings: GatewayConfiguration.Admin, _ mapping: MappingReader, key: any KeyRow
    ) {
        guard !settings.address.isOfThisMachine else { return }
        let what = settings.readOnly ? "see all sessions" : "close sessions and drain the gateway"
        mapping.diagnostics.warn(
            mapping.entry(key)?.position,
            "any client of \(settings.address) may \(what): give `admin` `auth`, or a `unix:` or a loopback address"
        )
    }

    private static func warn(of settings: GatewayConfiguration.Admin, _ mapping: MappingReader) {
        let keys = Keys.admin
        if settings.payloads {
            mapping.diagnostics.warn(
                mapping.entry(keys.payloads)?.position,
                "`payloads: true` lets all users of the admin address read the messages of sessions")
        }
        if settings.auth != nil, settings.tls == nil, !settings.address.isOfThisMachine {
            mapping.diagnostics.warn(
                mapping.entry(keys.auth)?.position,
                "passwords are readable on the way to the admin address \(settings.address), which has no `tls`: add it"
            )
        }
    }
}
