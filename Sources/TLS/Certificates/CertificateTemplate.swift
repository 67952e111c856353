import COpenSSL

/// The description of a certificate to be made by libcrypto, with a new ECDSA P-256 key.
struct CertificateTemplate {
    /// What the certificate may be used for.
    enum Purpose {
        case server
        case client
        case authority
    }

    var purpose = Purpose.server
    /// Its DNS names and IP addresses.
    var names: [String]
    /// The subject's common name, unless it is too long for one.
    var commonName: String
    /// The start of its validity, in seconds from now.
    var validFrom = -86_400
    /// The end of its validity, in seconds from now.
    var validUntil: Int

    /// Makes the certificate, signed by `authority` or by itself.
    func issue(by authority: Certificate? = nil) throws(TLSError) -> Certificate {
        ErrorQueue.clear()
        guard let rawKey = unsafe shim_EVP_EC_gen("P-256") else { throw .configuration("no key") }
        let key = unsafe ParsedKey(rawKey)
        guard let rawCertificate = unsafe X509_new() else { throw .configuration("no certificate") }
        let certificate = unsafe ParsedCertificate(rawCertificate)

        try self.describe(certificate, key)
        guard let authority else {
            try self.addExtensions(to: certificate, issuer: certificate)
            try Self.sign(certificate, as: certificate, with: key)
            return Certificate(chain: [certificate.der], key: key.der, leaf: certificate)
        }
        let issuer = try ParsedCertificate(der: authority.chain[0])
        try self.addExtensions(to: certificate, issuer: issuer)
        try Self.sign(certificate, as: issuer, with: ParsedKey(der: authority.key))
        return Certificate(chain: [certificate.der], key: key.der, leaf: certificate)
    }

    /// Version, random serial number, dates, subject and public key.
    private func describe(_ certificate: borrowing ParsedCertificate, _ key: borrowing ParsedKey) throws(TLSError) {
        let x509 = unsafe certificate.pointer
        // Sound: we free the serial number; all other parts are set by copy or reference.
        let serial = unsafe BN_new()
        defer { unsafe BN_free(serial) }
        let subject = unsafe X509_get_subject_name(x509)
        let name = self.commonName.utf8.count <= 64 ? self.commonName : "gateway"
        // 159 bits: positive, and within the 20 bytes of RFC 5280 section 4.1.2.2.
        guard unsafe BN_rand(serial, 159, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1,
            unsafe BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x509)) != nil,
            unsafe X509_set_version(x509, 2) == 1,
            unsafe X509_gmtime_adj(X509_getm_notBefore(x509), self.validFrom) != nil,
            unsafe X509_gmtime_adj(X509_getm_notAfter(x509), self.validUntil) != nil,
            unsafe X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, name, -1, -1, 0) == 1,
            unsafe X509_set_pubkey(x509, key.pointer) == 1
        else { throw .configuration("certificate cannot be made") }
    }

    private func addExtensions(
        to certificate: borrowing ParsedCertificate, issuer: borrowing ParsedCertificate
    ) throws(TLSError) {
        switch self.purpose {
        case .authority:
            try Self.add(NID_basic_constraints, "critical,CA:TRUE", to: certificate, issuer: issuer)
            try Self.add(NID_key_usage, "critical,keyCertSign,cRLSign", to: certificate, issuer: issuer)
        case .server, .client:
            let use = self.purpose == .server ? "serverAuth" : "clientAuth"
            try Self.add(NID_basic_constraints, "critical,CA:FALSE", to: certificate, issuer: issuer)
            try Self.add(NID_key_usage, "critical,digitalSignature", to: certificate, issuer: issuer)
            try Self.add(NID_ext_key_usage, use, to: certificate, issuer: issuer)
        }
        try Self.add(NID_subject_key_identifier, "hash", to: certificate, issuer: issuer)
        try Self.add(NID_authority_key_identifier, "keyid", to: certificate, issuer: issuer)
        if !self.names.isEmpty { try self.addNames(to: certificate) }
    }

    private static func add(
        _ kind: Int32, _ value: String, to certificate: borrowing ParsedCertificate,
        issuer: borrowing ParsedCertificate
    ) throws(TLSError) {
        // Sound: the context borrows both certificates for these calls. We own the extension, and adding copies it.
        var context = unsafe X509V3_CTX()
        unsafe X509V3_set_ctx(&context, issuer.pointer, certificate.pointer, nil, nil, 0)
        guard let made = unsafe X509V3_EXT_conf_nid(nil, &context, kind, value) else {
            throw .configuration("certificate cannot be made")
        }
        defer { unsafe X509_EXTENSION_free(made) }
        guard unsafe X509_add_ext(certificate.pointer, made, -1) == 1 else {
            throw .configuration("certificate cannot be made")
        }
    }

    /// Adds the subjectAltName. It is made from values: in libcrypto's text syntax a comma in a name would begin another.
    private func addNames(to certificate: borrowing ParsedCertificate) throws(TLSError) {
        // Sound: the stack owns the names pushed to it and is freed with them. The extension is made from a copy.
        guard let stack = unsafe OPENSSL_sk_new_null() else { throw .configuration("certificate cannot be made") }
        defer { unsafe GENERAL_NAMES_free(stack) }
        for text in self.names {
            guard let name = unsafe GENERAL_NAME_new() else { throw .configuration("certificate cannot be made") }
            unsafe OPENSSL_sk_push(stack, name)
            // Sound: the name takes over the string. Both kinds of string are ASN1_STRINGs.
            if let address = unsafe a2i_IPADDRESS(text) {
                unsafe GENERAL_NAME_set0_value(name, GEN_IPADD, address)
                continue
            }
            ErrorQueue.clear()
            guard !text.isEmpty, text.utf8.count <= 253, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                throw TLSError(.configuration, "\"\(text)\" is not a valid name for a certificate")
            }
            let string = unsafe ASN1_STRING_type_new(V_ASN1_IA5STRING)
            unsafe ASN1_STRING_set(string, text, -1)
            unsafe GENERAL_NAME_set0_value(name, GEN_DNS, string)
        }
        guard
            unsafe X509_add1_ext_i2d(certificate.pointer, NID_subject_alt_name, UnsafeMutableRawPointer(stack), 0, 0)
                == 1
        else { throw .configuration("certificate cannot be made") }
    }

    private static func sign(
        _ certificate: borrowing ParsedCertificate, as issuer: borrowing ParsedCertificate,
        with key: borrowing ParsedKey
    ) throws(TLSError) {
        guard unsafe X509_set_issuer_name(certificate.pointer, X509_get_subject_name(issuer.pointer)) == 1,
            unsafe X509_sign(certificate.pointer, key.pointer, EVP_sha256()) > 0
        else { throw .configuration("certificate cannot be signed") }
    }
}

extension Certificate {
    /// Makes a self-signed certificate for trials: ECDSA P-256, valid since yesterday, not stored.
    ///
    /// - Parameters:
    ///   - names: DNS names (also `*.example.com`) and IP addresses. At least one.
    ///   - validFor: from now on, in whole seconds.
    /// - Throws: `TLSError` of the kind `.configuration` for an invalid name.
    public static func selfSigned(
        names: [String], validFor: Duration = .seconds(90 * 86_400)
    ) throws(TLSError) -> Certificate {
        guard let first = names.first else { throw TLSError(.configuration, "a certificate needs a name") }
        let until = Int(validFor.components.seconds)
        return try CertificateTemplate(names: names, commonName: first, validUntil: until).issue()
    }
}
