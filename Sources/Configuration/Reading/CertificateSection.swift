/// A mapping with the two files of a certificate.
enum CertificateSection {
    /// `nil` where one of them is missing or wrong, which is reported.
    static func files(_ mapping: MappingReader) -> CertificateFiles? {
        let chain = mapping.value(Keys.certificate.chain)
        let key = mapping.value(Keys.certificate.key)
        guard let chain, let key else { return nil }
        return CertificateFiles(chain: chain, key: key)
    }
}
