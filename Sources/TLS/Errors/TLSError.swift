import COpenSSL

/// Why a TLS operation failed, with a text for the log.
public struct TLSError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of failure.
    public enum Kind: Hashable, Sendable {
        /// A certificate, key or setting of ours cannot be used.
        case configuration
        /// The peer has no certificate, or one that we do not accept.
        case verification
        /// The peer sent a fatal alert.
        case alert
        /// The peer broke TLS, does not speak TLS, or offers nothing that we accept.
        case protocolViolation
        /// The connection ended without a close_notify (RFC 8446 section 6.1).
        case truncation
    }

    /// The kind of failure.
    let kind: Kind
    /// What happened, in libssl's words where it has some.
    let text: String

    /// `text` is one line, without a full stop.
    public init(_ kind: Kind, _ text: String) {
        self.kind = kind
        self.text = text
    }

    /// What happened, for the log.
    public var description: String { self.text }
}

extension TLSError {
    /// A fault in a certificate, key or setting, with the reasons from this thread's error queue, which is emptied.
    static func configuration(_ text: String) -> TLSError {
        let reasons = ErrorQueue.drain().map(\.text)
        return TLSError(.configuration, ([text] + reasons).joined(separator: ": "))
    }

    /// The failure that libssl reports in this thread's error queue, which is emptied.
    ///
    /// - Parameter verification: the result of verifying the peer's certificate (`SSL_get_verify_result`).
    static func connection(verification: Int) -> TLSError {
        let entries = ErrorQueue.drain()
        guard let first = entries.first else {
            return TLSError(.protocolViolation, "the connection failed")
        }
        if first.isSSL, first.reason == SSL_R_CERTIFICATE_VERIFY_FAILED, verification != Int(X509_V_OK) {
            // Sound: a constant string of libcrypto, copied.
            let why = unsafe String(cString: X509_verify_cert_error_string(verification))
            return TLSError(.verification, "certificate verify failed: \(why)")
        }
        if first.isSSL, first.reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE {
            return TLSError(.verification, first.text)
        }
        if first.isSSL, let alert = UInt8(exactly: first.reason - SSL_AD_REASON_OFFSET) {
            return TLSError(.alert, "the peer's alert: \(TLSAlert.name(alert))")
        }
        return TLSError(.protocolViolation, entries.map(\.text).joined(separator: ": "))
    }
}
