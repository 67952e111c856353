import COpenSSL

extension TLSConnection {
    /// The names of the peer; `nil`: it has shown no certificate, or the TLS handshake is not done. A resumed connection has those of the
    /// connection that its ticket is from.
    public var peerNames: PeerNames? {
        guard unsafe SSL_is_init_finished(self.ssl) == 1, unsafe SSL_get_verify_result(self.ssl) == Int(X509_V_OK)
        else {
            return nil
        }
        // Sound: it is a reference of ours, which the value takes over.
        return unsafe SSL_get1_peer_certificate(self.ssl).map { unsafe PeerNames(ParsedCertificate($0)) }
    }
}
