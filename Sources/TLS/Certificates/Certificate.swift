import COpenSSL
import Glibc

/// A certificate with its chain and its private key, to show to peers.
///
/// It holds only bytes, so any thread may have it. Each context makes its own libcrypto objects from them.
public struct Certificate: Sendable, Hashable, CustomStringConvertible {
    /// In DER. The certificate itself comes first.
    let chain: [[UInt8]]
    /// In DER.
    let key: [UInt8]

    /// The kind of its key.
    let kind: Kind
    /// The kind of its key: `RSA`, `ECDSA`, or libcrypto's name of another one.
    public var keyKind: String { self.kind.description }

    /// The kind of a key. A name can have one certificate of each kind, because a client may not be able to verify all kinds.
    enum Kind: Hashable, CustomStringConvertible {
        case rsa
        case ecdsa
        /// By libcrypto's number: Ed25519, RSA for PSS only, and others.
        case other(Int32)

        /// For messages.
        var description: String {
            switch self {
            case .rsa: "RSA"
            case .ecdsa: "ECDSA"
            case .other(let number): unsafe OBJ_nid2sn(number).map { unsafe String(cString: $0) } ?? "\(number)"
            }
        }
    }

    /// The names that it is for: the DNS names, in lower case, and IP addresses of its subjectAltName. Without that
    /// extension, the subject's common name.
    public let names: [String]

    /// The end of its validity (RFC 5280 section 4.1.2.5), in seconds since 1970.
    public let notAfter: Int64

    /// The distinguished name of the authority that signed it, as text (RFC 4514).
    public let issuer: String

    /// Reads a certificate and its key from PEM texts, and checks that they match.
    ///
    /// - Parameters:
    ///   - chainPEM: the certificate, then the chain to its authority.
    ///   - keyPEM: the private key, unencrypted. It may be the same text as `chainPEM`.
    ///   - chainName: the name of the first text in errors: its file.
    ///   - keyName: the name of the second text in errors.
    /// - Throws: `TLSError` of the kind `.configuration`.
    public init(chainPEM: [UInt8], keyPEM: [UInt8], chainName: String, keyName: String) throws(TLSError) {
        let chain = try PEM.certificates(chainPEM, name: chainName)
        let key = try PEM.privateKey(keyPEM, name: keyName)
        let leaf = try ParsedCertificate(der: chain[0])
        guard unsafe X509_check_private_key(leaf.pointer, key.pointer) == 1 else {
            ErrorQueue.clear()
            throw TLSError(.configuration, "\(keyName): the key does not match the first certificate of \(chainName)")
        }
        self.init(chain: chain, key: key.der, leaf: leaf)
    }

    init(chain: [[UInt8]], key: [UInt8], leaf: borrowing ParsedCertificate) {
        self.chain = chain
        self.key = key
        self.kind = leaf.kind
        self.names = leaf.names
        self.notAfter = leaf.notAfter
        self.issuer = unsafe leaf.text(of: X509_get_issuer_name(leaf.pointer))
        ErrorQueue.clear()
    }

    /// The names, and never the key.
    public var description: String { "certificate for \(self.names.joined(separator: ", "))" }
}

extension ParsedCertificate {
    fileprivate var kind: Certificate.Kind {
        // Sound: the key belongs to the certificate, and libcrypto accepts that there is none.
        switch unsafe EVP_PKEY_get_base_id(X509_get0_pubkey(self.pointer)) {
        case EVP_PKEY_RSA: .rsa
        case EVP_PKEY_EC: .ecdsa
        case let number: .other(number)
        }
    }

    fileprivate var notAfter: Int64 {
        // Sound: the time belongs to the certificate, and both functions use this one record.
        var time = unsafe tm()
        guard unsafe ASN1_TIME_to_tm(X509_get0_notAfter(self.pointer), &time) == 1 else { return 0 }
        return unsafe Int64(timegm(&time))
    }

    /// See `Certificate.names`.
    fileprivate var names: [String] {
        self.alternativeNames ?? self.commonName.map { [$0] } ?? []
    }

    /// The DNS names and IP addresses of the subjectAltName (RFC 5280 section 4.2.1.6); `nil` without that extension.
    private var alternativeNames: [String]? {
        var names: [String] = []
        let isThere = unsafe self.forEachAlternativeName { name in
            switch unsafe name.pointee.type {
            case GEN_DNS: unsafe names.append(asn1Text(name.pointee.d.dNSName).lowercased())
            case GEN_IPADD: unsafe names += address(name.pointee.d.iPAddress).map { [$0] } ?? []
            default: break
            }
        }
        return isThere ? names : nil
    }

    /// Calls `body` with each name of the subjectAltName, in their order.
    ///
    /// - Returns: Whether there is that extension.
    @unsafe func forEachAlternativeName(_ body: (UnsafeMutablePointer<GENERAL_NAME>) -> Void) -> Bool {
        guard let raw = unsafe X509_get_ext_d2i(self.pointer, NID_subject_alt_name, nil, nil) else { return false }
        // Sound: this extension is decoded to a stack of GENERAL_NAMEs that we own and free after reading.
        let stack = OpaquePointer(raw)
        defer { unsafe GENERAL_NAMES_free(stack) }
        for index in 0..<max(0, unsafe OPENSSL_sk_num(stack)) {
            unsafe body(OPENSSL_sk_value(stack, index)!.assumingMemoryBound(to: GENERAL_NAME.self))
        }
        return true
    }

    private var commonName: String? {
        // Sound: the subject and its entry belong to the certificate.
        let subject = unsafe X509_get_subject_name(self.pointer)
        let index = unsafe X509_NAME_get_index_by_NID(subject, NID_commonName, -1)
        guard index >= 0, let entry = unsafe X509_NAME_get_entry(subject, index) else { return nil }
        return unsafe asn1Text(X509_NAME_ENTRY_get_data(entry)).lowercased()
    }
}

/// Sound if `string` is a valid ASN.1 string.
@unsafe func asn1Text(_ string: UnsafePointer<ASN1_STRING>?) -> String {
    guard let start = unsafe ASN1_STRING_get0_data(string) else { return "" }
    return unsafe String(
        decoding: UnsafeBufferPointer(start: start, count: Int(ASN1_STRING_length(string))), as: UTF8.self)
}

/// An address as text; `nil` if it has neither 4 nor 16 bytes.
///
/// Sound if `string` is a valid ASN.1 string.
@unsafe private func address(_ string: UnsafePointer<ASN1_STRING>?) -> String? {
    let family =
        switch unsafe ASN1_STRING_length(string) {
        case 4: AF_INET
        case 16: AF_INET6
        default: nil as Int32?
        }
    guard let family, let start = unsafe ASN1_STRING_get0_data(string) else { return nil }
    // Sound: the family follows from the number of bytes, and the array has room for either text and its zero.
    var characters = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    guard unsafe inet_ntop(family, start, &characters, socklen_t(characters.count)) != nil else { return nil }
    return String(decoding: characters.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}
