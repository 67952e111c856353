import COpenSSL

/// Why a TLS operation failed, in words for a log line.
package struct TLSError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Whose doing it was.
    package enum Kind: Hashable, Sendable {
        /// A certificate, key or setting of ours cannot be used.
        case configuration
        /// We do not accept the peer's certificate, or it has none.
        case verification
        /// The peer sent a fatal alert: it refuses to go on.
        case alert
        /// The peer sent what TLS forbids, something that is no TLS at all, or offers nothing that we accept.
        case protocolViolation
        /// The peer's bytes ended without a close_notify (RFC 8446 section 6.1).
        case truncation
    }

    /// Whose doing it was.
    package let kind: Kind
    /// What happened, in libssl's words where it has some.
    package let text: String

    package init(_ kind: Kind, _ text: String) {
        self.kind = kind
        self.text = text
    }

    package var description: String { self.text }
}

extension TLSError {
    /// A mistake in what we were given, explained by what libcrypto left in this thread's error queue, which is emptied.
    static func configuration(_ text: String) -> TLSError {
        let reasons = ErrorQueue.drain().map(\.text)
        return TLSError(.configuration, ([text] + reasons).joined(separator: ": "))
    }

    /// The failure that libssl left in this thread's error queue, which is emptied.
    ///
    /// - Parameter verification: the result of verifying the peer's certificate (`SSL_get_verify_result`).
    static func connection(verification: Int) -> TLSError {
        let entries = ErrorQueue.drain()
        guard let first = entries.first else {
            return TLSError(.protocolViolation, "the connection failed")
        }
        if first.isSSL, first.reason == SSL_R_CERTIFICATE_VERIFY_FAILED, verification != Int(X509_V_OK) {
            // Sound: libcrypto's strings are constants that live as long as the process.
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

/// OpenSSL's error queue of the calling thread: empty before each call that may fail, and emptied after one that did.
enum ErrorQueue {
    struct Entry: Hashable {
        let isSSL: Bool
        let reason: Int32
        let text: String
    }

    /// Forgets what another call may have left behind, so that it is not taken for the next one's failure.
    static func clear() {
        // Clearing walks all of the queue's 16 places, which costs as much as half a record; looking costs nothing.
        if !self.isEmpty { ERR_clear_error() }
    }

    static var isEmpty: Bool { ERR_peek_error() == 0 }

    /// The newest entry's reason if it comes from the PEM reader.
    static var newestPEMReason: Int32? {
        let code = ERR_peek_last_error()
        return ERR_GET_LIB(code) == ERR_LIB_PEM ? ERR_GET_REASON(code) : nil
    }

    /// Empties the queue: its entries, oldest first (the cause), each text once.
    static func drain() -> [Entry] {
        var entries: [Entry] = []
        while true {
            var data: UnsafePointer<CChar>?
            var flags: Int32 = 0
            // Sound: the pointers to our variables last as long as the call; `data` belongs to the queue's entry
            // and stays until the queue wraps around, which nothing does before it is copied.
            let code = unsafe ERR_get_error_all(nil, nil, nil, &data, &flags)
            guard code != 0 else { return entries }
            let reason = ERR_GET_REASON(code)
            // Sound: a constant string of libcrypto's, or nil.
            var text = unsafe ERR_reason_error_string(code).map { unsafe String(cString: $0) } ?? "error \(reason)"
            if flags & ERR_TXT_STRING != 0, let data = unsafe data, unsafe data.pointee != 0 {
                text += unsafe " (\(String(cString: data)))"
            }
            if !entries.contains(where: { $0.text == text }) {
                entries.append(Entry(isSSL: ERR_GET_LIB(code) == ERR_LIB_SSL, reason: reason, text: text))
            }
        }
    }
}
