/// An entry of `listeners:`.
struct ListenerSection {
    private let mapping: MappingReader

    init?(_ node: DocumentNode, diagnostics: Diagnostics) {
        guard
            let mapping = MappingReader(node, Keys.listener.section, subject: "a listener", diagnostics: diagnostics)
        else { return nil }
        self.mapping = mapping
    }

    /// The listener; `nil` where its address is missing or wrong, which is reported.
    func settings(defaults: ListenerRules) -> ListenerSettings? {
        let address = self.mapping.value(Keys.listener.address)
        let tls = self.mapping.mapping(Keys.listener.tls).flatMap(Self.tls)
        let own = ListenerRules(
            timeouts: self.mapping.mapping(Keys.listener.timeouts), limits: self.mapping.mapping(Keys.listener.limits))
        guard let address else { return nil }
        var settings = ListenerSettings(address: address, tls: tls)
        defaults.apply(to: &settings)
        own.apply(to: &settings)
        settings.access = FileAccessSection.settings(
            self.mapping, Keys.listener.access, of: address,
            otherwise: "the umask decides what the group may do")
        return settings
    }

    /// Reports an address that an earlier listener has. Several listeners may ask for any free port.
    func reportTaken(_ address: Address, lines: inout [Address: Int]) {
        if case .tcp(_, port: 0) = address { return }
        let key = Keys.listener.address
        if let line = lines[address] {
            self.mapping.report(key, "is taken: the listener on line \(line) is on \(address) already")
        } else {
            lines[address] = self.mapping.entry(key)?.position.line
        }
    }

    private static func tls(_ mapping: MappingReader) -> ListenerSettings.TLS? {
        let minimum = mapping.value(Keys.listenerTLS.minimum)
        let clientCA = mapping.value(Keys.listenerTLS.clientCA)
        let clientAuth = mapping.value(Keys.listenerTLS.clientAuth)
        if !mapping.has(Keys.listenerTLS.clientCA) {
            mapping.report(Keys.listenerTLS.clientAuth, "needs `client-ca`, the authorities of the certificates")
        }
        guard let identity = self.identity(mapping) else { return nil }
        var tls = ListenerSettings.TLS(identity: identity)
        tls.minimum = minimum ?? tls.minimum
        tls.clientCA = clientCA
        tls.clientAuth = clientAuth ?? tls.clientAuth
        return tls
    }

    private static func identity(_ mapping: MappingReader) -> ListenerSettings.TLS.Identity? {
        let names = mapping.values(Keys.listenerTLS.selfSigned)
        let files = mapping.filledNodes(Keys.listenerTLS.certificates)?.compactMap { node in
            MappingReader(
                node, Keys.certificate.section, subject: "a certificate", diagnostics: mapping.diagnostics
            ).flatMap(CertificateSection.files)
        }
        guard mapping.alternative() != nil else { return nil }
        return names.map { .selfSigned(names: $0) } ?? files.map { .files($0) }
    }
}
