import COpenSSL

/// A certificate as an object of libcrypto, freed with this value. Each worker makes its own, because OpenSSL 3.0 takes locks
/// on shared ones.
@safe struct ParsedCertificate: ~Copyable {
    /// Sound: this value owns it, and frees it in `deinit`.
    let pointer: OpaquePointer

    /// Takes over a reference.
    init(_ pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    init(der: [UInt8]) throws(TLSError) {
        ErrorQueue.clear()
        // Sound: the pointer moves within the array, inside this closure only.
        let pointer = unsafe der.withUnsafeBufferPointer { buffer in
            var start = buffer.baseAddress
            return unsafe d2i_X509(nil, &start, buffer.count)
        }
        guard let pointer = unsafe pointer else { throw .configuration("bad certificate") }
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe X509_free(self.pointer)
    }

    /// In DER.
    var der: [UInt8] {
        unsafe encoded { unsafe i2d_X509(self.pointer, $0) }
    }
}

/// A private key as an object of libcrypto, freed with this value.
@safe struct ParsedKey: ~Copyable {
    /// Sound: this value owns it, and frees it in `deinit`.
    let pointer: OpaquePointer

    /// Takes over a reference.
    init(_ pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    init(der: [UInt8]) throws(TLSError) {
        ErrorQueue.clear()
        // Sound: the pointer moves within the array, inside this closure only.
        let pointer = unsafe der.withUnsafeBufferPointer { buffer in
            var start = buffer.baseAddress
            return unsafe d2i_AutoPrivateKey(nil, &start, buffer.count)
        }
        guard let pointer = unsafe pointer else { throw .configuration("bad private key") }
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe EVP_PKEY_free(self.pointer)
    }

    /// In DER.
    var der: [UInt8] {
        unsafe encoded { unsafe i2d_PrivateKey(self.pointer, $0) }
    }
}

/// The output of one of libcrypto's `i2d` functions, called for the size and then for the bytes.
///
/// Sound if `encode` is such a function: it writes as many bytes as it said, to the pointer that it is given.
@unsafe private func encoded(
    _ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32
) -> [UInt8] {
    let count = max(0, Int(encode(nil)))
    return unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
        var start = buffer.baseAddress
        written = unsafe max(0, Int(encode(&start)))
    }
}
