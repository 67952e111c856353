import COpenSSL

// What a connection agreed on, for the log, the metrics and the admin pages; known once the handshake is done.
// Sound in all of these: libssl's strings live as long as the connection, and are copied before the call returns.
extension TLSConnection {
    /// The protocol's version: "TLSv1.2" or "TLSv1.3".
    package var version: String {
        unsafe String(cString: SSL_get_version(self.ssl))
    }

    /// The cipher suite in OpenSSL's words, for example "TLS_AES_128_GCM_SHA256".
    package var cipher: String {
        unsafe String(cString: shim_SSL_get_cipher_name(self.ssl))
    }

    /// Whether a ticket saved the full handshake.
    package var wasResumed: Bool {
        unsafe SSL_session_reused(self.ssl) == 1
    }

    /// The host name that the client asked for (SNI, RFC 6066 section 3), as sent.
    package var serverName: String? {
        unsafe SSL_get_servername(self.ssl, TLSEXT_NAMETYPE_host_name).map { unsafe String(cString: $0) }
    }

    /// The application protocol (ALPN, RFC 7301) that was agreed on.
    package var applicationProtocol: String? {
        var start: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(self.ssl, &start, &count)
        guard count > 0, let start = unsafe start else { return nil }
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: Int(count)), as: UTF8.self)
    }

    /// The subject of the peer's certificate as RFC 2253 writes it ("CN=device 7,O=Example"), control characters
    /// escaped; nil without one.
    package var peerCertificateSubject: String? {
        // Sound: the certificate belongs to the connection, and so does its name.
        guard let certificate = unsafe SSL_get0_peer_certificate(self.ssl) else { return nil }
        guard let memory = unsafe BIO_new(BIO_s_mem()) else { return nil }
        defer { unsafe BIO_free(memory) }
        guard unsafe X509_NAME_print_ex(memory, X509_get_subject_name(certificate), 0, shim_XN_FLAG_RFC2253) >= 0 else {
            ErrorQueue.clear()
            return nil
        }
        var start: UnsafeMutablePointer<CChar>?
        let count = unsafe shim_BIO_get_mem_data(memory, &start)
        guard let start = unsafe start else { return "" }
        // Sound: the memory BIO holds `count` bytes there until it is freed.
        return unsafe String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }
}
