/// An entry of `listeners:`.
struct ListenerSection {
    private let mapping: MappingReader

    init?(_ node: DocumentNode, diagnostics: Diagnostics) {
        guard let mapping = MappingReader(node, .listener, subject: "a listener", diagnostics: diagnostics) else {
            return nil
        }
        self.mapping = mapping
    }

    /// The listener; `nil` where its address is missing or wrong, which is reported.
    var settings: ListenerSettings? {
        self.mapping.require("address", of: "a listener")
        let address = self.mapping.value("address") { text throws(Mistake) in try Address(parsing: text, for: .listen) }
        let tls = self.mapping.mapping("tls", .listenerTLS).flatMap(Self.tls)
        guard let address else { return nil }
        var settings = ListenerSettings(address: address, tls: tls)
        settings.access = FileAccessSection.settings(
            self.mapping, of: address, otherwise: "what the group may do is up to the umask")
        return settings
    }

    /// Reports an address that an earlier listener has. Any number may ask for a free port.
    func reportTaken(_ address: Address, lines: inout [Address: Int]) {
        if case .tcp(_, port: 0) = address { return }
        if let line = lines[address] {
            self.mapping.report("address", "is taken: the listener on line \(line) is on \(address) already")
        } else {
            lines[address] = self.mapping.entry("address")?.position.line
        }
    }

    private static func tls(_ mapping: MappingReader) -> ListenerTLS? {
        let minimum = mapping.value("minimum", Word.of(TLSVersion.self))
        let clientCA = mapping.value("client-ca", Word.path)
        guard let identity = self.identity(mapping) else { return nil }
        var tls = ListenerTLS(identity: identity)
        tls.minimum = minimum ?? tls.minimum
        tls.clientCA = clientCA
        return tls
    }

    private static func identity(_ mapping: MappingReader) -> ListenerTLS.Identity? {
        let names = mapping.filledNodes("self-signed")?.compactMap { node in
            node.value(subject: "an entry of `self-signed`", diagnostics: mapping.diagnostics, self.certificateName)
        }
        let files = mapping.filledNodes("certificates")?.compactMap { node in
            MappingReader(node, .certificate, subject: "a certificate", diagnostics: mapping.diagnostics).flatMap(
                self.files)
        }
        switch (mapping.has("self-signed"), mapping.has("certificates")) {
        case (true, true):
            mapping.report("self-signed", "cannot stand beside `certificates`: leave one of them out")
            return nil
        case (false, false):
            mapping.diagnostics.report(mapping.position, "`tls` needs `certificates` or `self-signed`")
            return nil
        case (true, false): return names.map { .selfSigned(names: $0) }
        case (false, true): return files.map { .files($0) }
        }
    }

    private static func certificateName(_ text: String) throws(Mistake) -> String {
        try HostPattern(parsing: text).description
    }

    private static func files(_ mapping: MappingReader) -> CertificateFiles? {
        mapping.require("chain", of: "a certificate")
        mapping.require("key", of: "a certificate")
        let chain = mapping.value("chain", Word.path)
        let key = mapping.value("key", Word.path)
        guard let chain, let key else { return nil }
        return CertificateFiles(chain: chain, key: key)
    }
}
