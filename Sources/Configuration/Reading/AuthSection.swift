internal import HTTP1

/// `auth:` of a route or of `defaults`: `off`, a kind of credential, or a list of kinds.
enum AuthSection {
    /// - Parameter mapping: A route, or `defaults`.
    /// - Returns: `nil` where nothing is written, and empty for `off`. Kinds with mistakes, which are reported, are left out.
    static func settings(_ mapping: MappingReader, _ key: MappingKey<Keys.Auth>) -> [AuthSettings]? {
        guard let node = mapping.entry(key)?.value else { return nil }
        guard case .list = node.content else {
            switch mapping.mappingOrOff(key) {
            case .on(let kind): return self.kind(kind).map { [$0] } ?? []
            case .off: return []
            case nil: return nil
            }
        }
        let nodes = mapping.filledNodes(key, hint: "write `off` to let everyone in") ?? []
        var taken: Set<String> = []
        return nodes.enumerated().compactMap { index, node in
            let subject = "an entry of `\(key.name)`"
            let entry = MappingReader(node, key.keys.section, subject: subject, diagnostics: mapping.diagnostics)
            guard let entry else { return nil }
            if index < nodes.count - 1 {
                entry.report(
                    Keys.auth.forward,
                    "must be the last of the list: it counts as sent always, so none after it decides")
            }
            let kind = self.kind(entry)
            if let places = kind?.places {
                if taken.isSuperset(of: places) {
                    mapping.diagnostics.warn(
                        entry.position,
                        "this entry of `\(key.name)` never decides: an earlier one takes the same credentials")
                }
                taken.formUnion(places)
            }
            return kind
        }
    }

    private static func kind(_ mapping: MappingReader) -> AuthSettings? {
        let keys = Keys.auth
        return switch mapping.alternative()?.name {
        case keys.jwt.name: mapping.mapping(keys.jwt).flatMap(JWTSection.settings).map { .jwt($0) }
        case keys.basic.name: mapping.mapping(keys.basic).flatMap(self.basic).map { .basic($0) }
        case keys.forward.name: mapping.mapping(keys.forward).flatMap(self.forward).map { .forward($0) }
        case keys.certificate.name: mapping.mapping(keys.certificate).map { .certificate(self.certificate($0)) }
        default: nil
        }
    }

    private static func basic(_ mapping: MappingReader) -> BasicSettings? {
        let changes = mapping.changes(to: BasicSettings.self)
        let send = self.sent(mapping, Keys.basic.send, Word.of(BasicSettings.Source.self))
        guard var settings = mapping.value(Keys.basic.file).map({ BasicSettings(file: $0) }) else { return nil }
        changes.apply(to: &settings)
        settings.send = send
        return settings
    }

    private static func forward(_ mapping: MappingReader) -> ForwardSettings? {
        let changes = mapping.changes(to: ForwardSettings.self)
        let ca = mapping.mapping(Keys.forward.tls)?.value(Keys.authTLS.ca)
        let key = Keys.forward.send
        var names: [String] = []
        let send = mapping.values(of: mapping.filledNodes(key, hint: "leave it out for none") ?? [], in: key) {
            text throws(Mistake) in
            if let flaw = HeadersSection.flaw(ofSent: text, besides: names) { throw Mistake("`\(text)` \(flaw)") }
            names.append(text)
            return text
        }
        guard let url = mapping.value(Keys.forward.url) else { return nil }
        if !url.tls { mapping.report(Keys.forward.tls, "is for an `https` URL: leave it out") }
        var settings = ForwardSettings(url: url)
        changes.apply(to: &settings)
        settings.send = send
        settings.ca = ca
        return settings
    }

    private static func certificate(_ mapping: MappingReader) -> CertificateSettings {
        var settings = CertificateSettings()
        let key = Keys.clientCertificate.names
        if let nodes = mapping.filledNodes(key, hint: "leave it out for any name") {
            settings.names = mapping.values(of: nodes, in: key, key.type.read)
        }
        settings.send = self.sent(mapping, Keys.clientCertificate.send, Word.of(CertificateSettings.Source.self))
        return settings
    }

    /// The fields of a `send`, in the order of the file; those with mistakes, which are reported, are left out.
    static func sent<Source>(
        _ mapping: MappingReader, _ key: NamedTextsKey, _ read: (String) throws(Mistake) -> Source
    ) -> [SentField<Source>] {
        guard let node = mapping.entry(key)?.value,
            let entries = node.entries(subject: "`\(key.name)`", diagnostics: mapping.diagnostics)
        else { return [] }
        var sent: [SentField<Source>] = []
        for entry in entries {
            if let flaw = HeadersSection.flaw(ofSent: entry.key, besides: sent.map(\.name)) {
                mapping.diagnostics.report(entry.position, "`\(entry.key)` \(flaw)")
                continue
            }
            let source = entry.value.value(subject: "`\(entry.key)`", diagnostics: mapping.diagnostics, read)
            if let source { sent.append(SentField(name: entry.key, source: source)) }
        }
        return sent
    }
}
