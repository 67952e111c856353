/// `tls:` towards a server.
enum BackendTLSSection {
    static func changes(_ mapping: MappingReader) -> Changes<BackendSettings.TLS> {
        var changes = mapping.changes(to: BackendSettings.TLS.self)
        if let certificate = mapping.mapping(Keys.backendTLS.certificate).flatMap(CertificateSection.files) {
            changes.append { $0.certificate = certificate }
        }
        return changes
    }
}
