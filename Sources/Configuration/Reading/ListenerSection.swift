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
    ///
    /// - Parameter trusted: The proxies that are believed; `nil`: they have mistakes, which are reported.
    func settings(defaults: ListenerRules, trusted: TrustedProxies?) -> ListenerSettings? {
        let address = self.mapping.value(Keys.listener.address)
        let tls = self.mapping.mapping(Keys.listener.tls).flatMap { Self.tls($0, on: address) }
        let limits = self.mapping.mapping(Keys.listener.limits)
        let own = ListenerRules(timeouts: self.mapping.mapping(Keys.listener.timeouts), limits: limits)
        let scope = limits?.changes(to: ScopeLimits.self)
        let proxyProtocol = self.mapping.value(Keys.listener.proxyProtocol)
        let allow = AllowSection.networks(self.mapping, Keys.listener.allow)
        guard let address else { return nil }
        var settings = ListenerSettings(address: address, tls: tls)
        defaults.apply(to: &settings)
        own.apply(to: &settings)
        scope?.apply(to: &settings.scope)
        settings.access = FileAccessSection.settings(
            self.mapping, Keys.listener.access, of: address,
            otherwise: "the umask decides what the group may do")
        settings.proxyProtocol = proxyProtocol ?? settings.proxyProtocol
        settings.allow = allow ?? settings.allow
        self.checkPeers(settings, trusted)
        return settings
    }

    /// Reports a listener to which no peer can connect.
    private func checkPeers(_ settings: ListenerSettings, _ trusted: TrustedProxies?) {
        let keys = Keys.listener
        let isTCP = if case .tcp = settings.address { true } else { false }
        if !isTCP {
            self.mapping.report(keys.allow, "is for TCP: a peer on a Unix socket has no address; leave it out")
        }
        guard settings.proxyProtocol, let trusted else { return }
        guard isTCP ? !trusted.networks.isEmpty : trusted.unix else {
            let missing = isTCP ? "the address of the proxy in front" : "the word `unix`"
            return self.mapping.report(
                keys.proxyProtocol, "needs \(missing) in `trusted-proxies`: others may not connect")
        }
        let isReachable =
            settings.allow.isEmpty || settings.allow.contains { trusted.networks.contains(where: $0.overlaps) }
        if isTCP, !isReachable {
            self.mapping.diagnostics.warn(
                self.mapping.entry(keys.allow)?.position,
                "`\(keys.allow.name)` of a listener is compared with the proxy's address, and has none of `trusted-proxies`: "
                    + "write that of clients in `defaults` or a route")
        }
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

    /// - Parameter address: The listener's; `nil`: it is wrong, which is reported.
    static func tls(_ mapping: MappingReader, on address: Address?) -> ListenerSettings.TLS? {
        let minimum = mapping.value(Keys.listenerTLS.minimum)
        let clientCA = mapping.value(Keys.listenerTLS.clientCA)
        let clientAuth = mapping.value(Keys.listenerTLS.clientAuth)
        if !mapping.has(Keys.listenerTLS.clientCA) {
            mapping.report(Keys.listenerTLS.clientAuth, "needs `client-ca`, the authorities of the certificates")
        }
        guard let identity = self.identity(mapping) else { return nil }
        if case .selfSigned = identity, let address, !address.isOfThisMachine {
            let key = Keys.listenerTLS.selfSigned
            mapping.diagnostics.warn(
                mapping.entry(key)?.position,
                "`\(key.name)` is for trials on this machine: others cannot verify it; use "
                    + "`\(Keys.listenerTLS.certificates.name)`")
        }
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
