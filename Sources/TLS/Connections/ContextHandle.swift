import COpenSSL

/// An `SSL_CTX` with the settings that both sides share, freed with this object.
@safe final class ContextHandle {
    /// Sound: made in `init`, freed in `deinit`. Connections hold references of their own.
    let pointer: OpaquePointer

    /// Which side of its connections we are.
    enum Side {
        case server
        case client
    }

    init(_ side: Side, minimum: TLSVersion, maximum: TLSVersion = .v1_3) throws(TLSError) {
        ErrorQueue.clear()
        let method =
            switch side {
            case .server: unsafe TLS_server_method()
            case .client: unsafe TLS_client_method()
            }
        guard let pointer = unsafe SSL_CTX_new(method) else { throw .configuration("no TLS context") }
        unsafe self.pointer = pointer
        unsafe SSL_CTX_set_options(
            pointer,
            shim_SSL_OP_NO_RENEGOTIATION | shim_SSL_OP_NO_COMPRESSION
                | shim_SSL_OP_CIPHER_SERVER_PREFERENCE | shim_SSL_OP_PRIORITIZE_CHACHA)
        // The bytes of an unfinished write may move. A chain is what its file has, and is never completed from a store.
        unsafe shim_SSL_CTX_set_mode(pointer, Int(SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN))
        // One read of the input for each record, instead of one for its header and one for its body.
        unsafe shim_SSL_CTX_set_read_ahead(pointer)
        guard unsafe shim_SSL_CTX_set_min_proto_version(pointer, minimum.number) == 1,
            unsafe shim_SSL_CTX_set_max_proto_version(pointer, maximum.number) == 1,
            unsafe SSL_CTX_set_cipher_list(pointer, Self.cipherList) == 1,
            unsafe SSL_CTX_set_ciphersuites(pointer, Self.cipherSuites) == 1,
            Self.groups.contains(where: { unsafe shim_SSL_CTX_set1_groups_list(pointer, $0) == 1 })
        else { throw .configuration("no TLS context") }
        ErrorQueue.clear()
    }

    deinit {
        unsafe SSL_CTX_free(self.pointer)
    }

    /// For TLS 1.2: only forward secrecy and authenticated encryption, the cheapest first.
    private static let cipherList = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
    ].joined(separator: ":")

    /// For TLS 1.3, in the same order.
    private static let cipherSuites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

    /// For the key exchange. No finite fields: a client can demand their costly exponentiation for free. The first list is
    /// for a libssl that knows the post-quantum group.
    private static let groups = ["X25519MLKEM768:X25519:P-256:P-384", "X25519:P-256:P-384"]

    /// Shows `certificate`, as the only one of its kind.
    func use(_ certificate: Certificate) throws(TLSError) {
        let leaf = try ParsedCertificate(der: certificate.chain[0])
        let key = try ParsedKey(der: certificate.key)
        // Sound: libssl takes references of its own.
        guard unsafe SSL_CTX_use_certificate(self.pointer, leaf.pointer) == 1,
            unsafe SSL_CTX_use_PrivateKey(self.pointer, key.pointer) == 1
        else { throw .configuration("certificate cannot be used") }
        for der in certificate.chain.dropFirst() {
            let intermediate = try ParsedCertificate(der: der)
            guard unsafe shim_SSL_CTX_add1_chain_cert(self.pointer, intermediate.pointer) == 1 else {
                throw .configuration("certificate chain cannot be used")
            }
        }
    }

    /// Accepts only certificates of `authorities`.
    ///
    /// Each authority is trusted on its own, also an intermediate one.
    ///
    /// - Parameter announced: tell the peer their names, so that it can choose a certificate.
    func trust(_ authorities: TrustedAuthorities, announced: Bool) throws(TLSError) {
        // Sound: the store belongs to the context, and takes references of its own.
        let store = unsafe SSL_CTX_get_cert_store(self.pointer)
        for der in authorities.certificates {
            let authority = try ParsedCertificate(der: der)
            guard unsafe X509_STORE_add_cert(store, authority.pointer) == 1,
                unsafe !announced || SSL_CTX_add_client_CA(self.pointer, authority.pointer) == 1
            else { throw .configuration("certificate authority cannot be used") }
        }
        unsafe X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
    }
}
