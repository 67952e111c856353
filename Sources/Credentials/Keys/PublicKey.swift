internal import COpenSSL

/// The public half of a pair of keys, as an object of libcrypto.
///
/// Sound to share between threads: it never changes, and libcrypto only reads it when it verifies.
@safe final class PublicKey: @unchecked Sendable {
    /// Sound: this object owns it, and frees it in `deinit`.
    let pointer: OpaquePointer

    /// Takes over a reference.
    private init(_ pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe EVP_PKEY_free(self.pointer)
    }

    /// A key for RSA, of a modulus and an exponent in network byte order.
    ///
    /// - Returns: `nil` for numbers that are no such key.
    static func rsa(modulus: [UInt8], exponent: [UInt8]) -> PublicKey? {
        // Sound: the arrays have as many bytes as are said, and are copied.
        unsafe self.made(
            "RSA", shim_RSA_parameters(modulus, Int32(modulus.count), exponent, Int32(exponent.count)))
    }

    /// A point of an elliptic curve.
    ///
    /// - Parameters:
    ///   - group: libcrypto's name of the curve.
    ///   - point: uncompressed: 4, then both coordinates in full length.
    /// - Returns: `nil` for a point that is not on the curve.
    static func elliptic(group: String, point: [UInt8]) -> PublicKey? {
        // Sound: both are copied.
        unsafe self.made("EC", shim_EC_parameters(group, point, point.count))
    }

    /// A key for Ed25519, of 32 bytes.
    static func ed25519(_ bytes: [UInt8]) -> PublicKey? {
        // Sound: libcrypto copies the bytes, and checks their number.
        defer { ERR_clear_error() }
        return unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count).map {
            unsafe PublicKey($0)
        }
    }

    /// - Parameter parameters: What the key is made of, which is freed here; `nil`: there is no memory for it.
    @unsafe private static func made(_ kind: String, _ parameters: UnsafeMutablePointer<OSSL_PARAM>?) -> PublicKey? {
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard let parameters = unsafe parameters else { return nil }
        // Sound: both objects are freed at the end, and the key has copies of what it needs.
        defer { unsafe OSSL_PARAM_free(parameters) }
        guard let context = unsafe EVP_PKEY_CTX_new_from_name(nil, kind, nil) else { return nil }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var made: OpaquePointer?
        guard unsafe EVP_PKEY_fromdata_init(context) == 1,
            unsafe EVP_PKEY_fromdata(context, &made, shim_EVP_PKEY_PUBLIC_KEY, parameters) == 1, let made = unsafe made
        else { return nil }
        let key = unsafe PublicKey(made)
        return key.isSound ? key : nil
    }

    /// Whether libcrypto finds nothing wrong with its numbers: a point that is on its curve, a modulus that is no prime (SP 800-56B section
    /// 6.4.2).
    private var isSound: Bool {
        guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, self.pointer, nil) else { return false }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        return unsafe EVP_PKEY_public_check(context) == 1
    }
}
