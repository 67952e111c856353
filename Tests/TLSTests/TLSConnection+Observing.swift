import COpenSSL

@testable import TLS

// What a connection has agreed on, once its handshake is done.
// Sound in all of these: libssl's strings live as long as the connection, and are copied before the call returns.

extension TLSConnection {
    /// The cipher suite in OpenSSL's words.
    var cipher: String {
        unsafe String(cString: SSL_CIPHER_get_name(SSL_get_current_cipher(self.ssl)))
    }

    /// The host name that the client asked for (SNI), as sent.
    var serverName: String? {
        unsafe SSL_get_servername(self.ssl, TLSEXT_NAMETYPE_host_name).map { unsafe String(cString: $0) }
    }

    /// The application protocol (ALPN) that was agreed on.
    var applicationProtocol: String? {
        var start: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(self.ssl, &start, &count)
        guard count > 0, let start = unsafe start else { return nil }
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: Int(count)), as: UTF8.self)
    }

    /// The common name in the peer's certificate; `nil` without one.
    var peerName: String? {
        guard let certificate = unsafe SSL_get0_peer_certificate(self.ssl) else { return nil }
        var text = [CChar](repeating: 0, count: 256)
        let subject = unsafe X509_get_subject_name(certificate)
        // Sound: at most `text.count` bytes are written, a zero included.
        let count = unsafe X509_NAME_get_text_by_NID(subject, NID_commonName, &text, Int32(text.count))
        guard count >= 0 else { return nil }
        return String(decoding: text[..<Int(count)].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
