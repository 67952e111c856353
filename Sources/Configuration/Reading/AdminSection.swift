/// `admin:` an address, `off`, or a mapping.
enum AdminSection {
    /// - Parameters:
    ///   - file: The section that has the key.
    ///   - listeners: The lines of the listeners by their addresses, which are taken.
    /// - Returns: `nil` where there is no address, or a wrong one, which is reported.
    static func settings(_ file: MappingReader, listeners: [Address: Int]) -> GatewayConfiguration.Admin? {
        let key = Keys.gateway.admin
        guard case .mapping? = file.entry(key)?.value.content else {
            let address = file.value(key, Keys.admin.address.type.orOff.read) ?? nil
            return address.map { self.settings($0, file, key: key, listeners: listeners) }
        }
        guard let mapping = file.mapping(key) else { return nil }
        let address = mapping.value(Keys.admin.address)
        let hosts = mapping.values(Keys.admin.hosts) ?? []
        guard let address else { return nil }
        var settings = self.settings(address, mapping, key: Keys.admin.address, listeners: listeners)
        settings.hosts = hosts
        settings.access = FileAccessSection.settings(
            mapping, Keys.admin.access, of: address, otherwise: "only the gateway's own user may connect")
        return settings
    }

    private static func settings(
        _ address: Address, _ mapping: MappingReader, key: any KeyRow, listeners: [Address: Int]
    ) -> GatewayConfiguration.Admin {
        if let line = listeners[address] {
            mapping.report(key, "is taken: the listener on line \(line) is on \(address) already")
        }
        return GatewayConfiguration.Admin(address: address)
    }
}
