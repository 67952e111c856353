/// `admin:` an address, `off`, or a mapping.
enum AdminSection {
    /// - Parameters:
    ///   - file: The section that has the key.
    ///   - listeners: The lines of the addresses that listeners have: one of those is taken.
    /// - Returns: `nil` where there is no address, or a wrong one, which is reported.
    static func settings(_ file: MappingReader, listeners: [Address: Int]) -> AdminSettings? {
        guard case .mapping? = file.entry("admin")?.value.content else {
            let address = file.value("admin", Switched.reader(self.address))?.value
            return address.map { self.settings($0, file, key: "admin", listeners: listeners) }
        }
        guard let mapping = file.mapping("admin", .admin) else { return nil }
        mapping.require("address", of: "`admin`")
        let address = mapping.value("address", self.address)
        let hosts = mapping.values("hosts", HostName.canonical) ?? []
        guard let address else { return nil }
        var settings = self.settings(address, mapping, key: "address", listeners: listeners)
        settings.hosts = hosts
        settings.access = FileAccessSection.settings(
            mapping, of: address, otherwise: "the socket is the gateway's user's alone")
        return settings
    }

    private static func address(_ text: String) throws(Mistake) -> Address {
        try Address(parsing: text, for: .listen)
    }

    private static func settings(
        _ address: Address, _ mapping: MappingReader, key: String, listeners: [Address: Int]
    ) -> AdminSettings {
        if let line = listeners[address] {
            mapping.report(key, "is taken: the listener on line \(line) is on \(address) already")
        }
        return AdminSettings(address: address)
    }
}
