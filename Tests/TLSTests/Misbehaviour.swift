import COpenSSL

@testable import TLS

// Behaviour that our own clients never show.
// Sound in all of these: the connection or context outlives the call, and its arguments are copied.

extension TLSConnection {
    /// Offers other application protocols.
    func offer(_ names: [String]) {
        let list = names.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        precondition(unsafe SSL_set_alpn_protos(self.ssl, list, UInt32(list.count)) == 0)
    }

    /// Updates the keys of both sides, with the next write.
    func updateKeys() {
        precondition(unsafe SSL_key_update(self.ssl, SSL_KEY_UPDATE_REQUESTED) == 1)
    }

    /// Sends a KeyUpdate, in a record of its own.
    func sendKeyUpdate() {
        precondition(unsafe SSL_key_update(self.ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1)
        precondition(unsafe SSL_do_handshake(self.ssl) == 1)
    }

    /// Starts another TLS 1.2 handshake within this connection.
    func renegotiate() {
        unsafe SSL_clear_options(self.ssl, shim_SSL_OP_NO_RENEGOTIATION)
        precondition(unsafe SSL_renegotiate(self.ssl) == 1)
        unsafe SSL_do_handshake(self.ssl)
        ErrorQueue.clear()
    }
}

extension TLSClientContext {
    /// Speaks TLS 1.1 at most.
    func speakOldVersions() {
        let context = unsafe self.context.pointer
        unsafe shim_SSL_CTX_set_min_proto_version(context, TLS1_VERSION)
        unsafe shim_SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION)
        unsafe SSL_CTX_set_security_level(context, 0)
        unsafe SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0")
    }

    /// Offers other TLS 1.2 ciphers.
    func offerCiphers(_ list: String) {
        unsafe SSL_CTX_set_cipher_list(self.context.pointer, list)
    }
}
