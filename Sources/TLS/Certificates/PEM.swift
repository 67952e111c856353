import COpenSSL

/// Reads PEM texts (RFC 7468), in which files store certificates and keys.
enum PEM {
    /// All certificates of a text, in their order, in DER. Everything else in the text is skipped.
    ///
    /// - Parameter name: the name of the text in errors.
    static func certificates(_ text: [UInt8], name: String) throws(TLSError) -> [[UInt8]] {
        let memory = try Memory(text)
        var certificates: [[UInt8]] = []
        ErrorQueue.clear()
        while let pointer = unsafe PEM_read_bio_X509(memory.bio, nil, nil, nil) {
            unsafe certificates.append(ParsedCertificate(pointer).der)
        }
        guard ErrorQueue.newestPEMReason == PEM_R_NO_START_LINE else {
            throw .configuration("\(name): certificate \(certificates.count + 1) is damaged")
        }
        ErrorQueue.clear()
        guard !certificates.isEmpty else { throw TLSError(.configuration, "\(name): no certificate in it") }
        return certificates
    }

    /// The first private key of a text, of any kind.
    ///
    /// - Parameter name: the name of the text in errors.
    static func privateKey(_ text: [UInt8], name: String) throws(TLSError) -> ParsedKey {
        let memory = try Memory(text)
        ErrorQueue.clear()
        // Sound: the callback only refuses a password. Without it libcrypto would ask on the terminal.
        let key = unsafe PEM_read_bio_PrivateKey(memory.bio, nil, { _, _, _, _ in -1 }, nil)
        if let key = unsafe key { return unsafe ParsedKey(key) }
        guard ErrorQueue.newestPEMReason != PEM_R_BAD_PASSWORD_READ else {
            ErrorQueue.clear()
            throw TLSError(.configuration, "\(name): the private key is encrypted; store it without a password")
        }
        guard String(decoding: text, as: UTF8.self).contains("PRIVATE KEY-----") else {
            ErrorQueue.clear()
            throw TLSError(.configuration, "\(name): no private key in it")
        }
        throw .configuration("\(name): the private key is damaged")
    }

    /// A copy of some bytes that libcrypto reads, freed with this value.
    @safe private struct Memory: ~Copyable {
        /// Sound: this value owns it, and frees it in `deinit`.
        let bio: OpaquePointer

        init(_ bytes: [UInt8]) throws(TLSError) {
            ErrorQueue.clear()
            guard let bio = unsafe BIO_new(BIO_s_mem()) else { throw .configuration("no memory for PEM") }
            unsafe self.bio = bio
            // Sound: the bytes are copied during the call.
            unsafe bytes.withUnsafeBufferPointer { buffer in
                var written = 0
                unsafe BIO_write_ex(bio, buffer.baseAddress, buffer.count, &written)
            }
        }

        deinit {
            unsafe BIO_free(self.bio)
        }
    }
}
