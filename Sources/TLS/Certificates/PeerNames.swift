import COpenSSL

/// The names in the certificate that a peer has shown, and that was verified.
public struct PeerNames: Equatable, Sendable {
    /// The names of a subjectAltName, as they are written. Addresses and others are left out.
    public struct AlternativeNames: Equatable, Sendable {
        /// `dNSName`
        public var hosts: [String] = []
        /// `uniformResourceIdentifier`
        public var uris: [String] = []
    }

    /// The distinguished name of its subject, as text (RFC 4514).
    public let subject: String
    /// The last common name of the subject; `nil`: it has none.
    public let commonName: String?
    /// `nil`: the certificate has no subjectAltName.
    public let alternativeNames: AlternativeNames?

    init(_ certificate: borrowing ParsedCertificate) {
        // Sound: the subject belongs to the certificate.
        self.subject = unsafe certificate.text(of: X509_get_subject_name(certificate.pointer))
        self.commonName = certificate.lastCommonName
        self.alternativeNames = certificate.peerAlternativeNames
        ErrorQueue.clear()
    }
}

extension ParsedCertificate {
    /// A distinguished name as text (RFC 4514).
    ///
    /// Sound if `name` belongs to this certificate.
    @unsafe func text(of name: OpaquePointer?) -> String {
        guard let bio = unsafe BIO_new(BIO_s_mem()) else { return "" }
        defer { unsafe BIO_free(bio) }
        // Sound: the text belongs to `bio`, and is copied before that is freed.
        guard unsafe X509_NAME_print_ex(bio, name, 0, shim_XN_FLAG_RFC4514) >= 0 else { return "" }
        var start: UnsafeMutablePointer<UInt8>?
        let count = unsafe BIO_ctrl(bio, BIO_CTRL_INFO, 0, &start)
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: max(0, count)), as: UTF8.self)
    }

    fileprivate var lastCommonName: String? {
        // Sound: the subject and its entries belong to the certificate.
        let subject = unsafe X509_get_subject_name(self.pointer)
        var last: Int32 = -1
        while true {
            let next = unsafe X509_NAME_get_index_by_NID(subject, NID_commonName, last)
            guard next >= 0 else { break }
            last = next
        }
        guard last >= 0, let entry = unsafe X509_NAME_get_entry(subject, last) else { return nil }
        // It may be in one of several encodings. Sound: libcrypto's copy is freed at the end.
        var start: UnsafeMutablePointer<UInt8>?
        let count = unsafe ASN1_STRING_to_UTF8(&start, X509_NAME_ENTRY_get_data(entry))
        guard count >= 0 else { return nil }
        defer { unsafe CRYPTO_free(start, "", 0) }
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: Int(count)), as: UTF8.self)
    }

    /// RFC 5280 section 4.2.1.6.
    fileprivate var peerAlternativeNames: PeerNames.AlternativeNames? {
        var names = PeerNames.AlternativeNames()
        let isThere = unsafe self.forEachAlternativeName { name in
            switch unsafe name.pointee.type {
            case GEN_DNS: unsafe names.hosts.append(asn1Text(name.pointee.d.dNSName))
            case GEN_URI: unsafe names.uris.append(asn1Text(name.pointee.d.uniformResourceIdentifier))
            default: break
            }
        }
        return isThere ? names : nil
    }
}
