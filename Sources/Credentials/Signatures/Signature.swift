internal import COpenSSL
internal import Configuration

/// Verifies signatures by libcrypto.
enum Signature {
    /// Whether a signature of these bytes was made with a key, and in an algorithm that the key fits.
    static func isRight(
        _ signature: [UInt8], of bytes: [UInt8], _ algorithm: SignatureAlgorithm, _ key: VerificationKey
    ) -> Bool {
        switch (algorithm.scheme, key.material) {
        case (.hmac, .secret(let secret)):
            return ConstantTime.areEqual(signature, HMAC.value(of: bytes, key: secret, hash: algorithm.hash))
        case (.rsa, .rsa(let key)): return self.verify(signature, of: bytes, key, hash: algorithm.hash)
        case (.rsaPSS, .rsa(let key)): return self.verify(signature, of: bytes, key, hash: algorithm.hash, isPSS: true)
        case (.ecdsa(let wanted), .elliptic(let key, let curve)) where wanted == curve:
            guard let encoded = self.encoded(signature, curve) else { return false }
            return self.verify(encoded, of: bytes, key, hash: algorithm.hash)
        case (.ed25519, .ed25519(let key)): return self.verify(signature, of: bytes, key, hash: nil)
        case (.hmac, _), (.rsa, _), (.rsaPSS, _), (.ecdsa, _), (.ed25519, _): return false
        }
    }

    private static func verify(
        _ signature: [UInt8], of bytes: [UInt8], _ key: PublicKey, hash: String?, isPSS: Bool = false
    ) -> Bool {
        ERR_clear_error()
        defer { ERR_clear_error() }
        // Sound: libcrypto reads as many bytes as the arrays have, and keeps no pointer to them. The context is freed at the end of this
        // function, and what it lends (`parameters`) is not used after that. `key` lives as long as the call.
        guard let context = unsafe EVP_MD_CTX_new() else { return false }
        defer { unsafe EVP_MD_CTX_free(context) }
        var parameters: OpaquePointer?
        guard unsafe EVP_DigestVerifyInit_ex(context, &parameters, hash, nil, nil, key.pointer, nil) == 1 else {
            return false
        }
        if isPSS {
            // The salt is as long as the hash (RFC 7518 section 3.5).
            guard unsafe EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1,
                unsafe EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1
            else { return false }
        }
        return unsafe EVP_DigestVerify(context, signature, signature.count, bytes, bytes.count) == 1
    }

    /// An ECDSA signature as libcrypto takes it, in DER. A token has the two numbers one after the other, each in the length of the curve (RFC
    /// 7518 section 3.4).
    private static func encoded(_ signature: [UInt8], _ curve: Curve) -> [UInt8]? {
        guard signature.count == 2 * curve.size else { return nil }
        // Sound: the numbers belong to `pair` once they are set, and it is freed at the end of this function.
        guard let pair = unsafe ECDSA_SIG_new() else { return nil }
        defer { unsafe ECDSA_SIG_free(pair) }
        let size = Int32(curve.size)
        let numbers = unsafe signature.withUnsafeBufferPointer { bytes in
            unsafe (BN_bin2bn(bytes.baseAddress, size, nil), BN_bin2bn(bytes.baseAddress! + curve.size, size, nil))
        }
        guard unsafe ECDSA_SIG_set0(pair, numbers.0, numbers.1) == 1 else { return nil }
        // The first call says how many bytes the second one writes.
        let count = unsafe i2d_ECDSA_SIG(pair, nil)
        guard count > 0 else { return nil }
        return unsafe [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, written in
            var start = buffer.baseAddress
            written = unsafe Int(i2d_ECDSA_SIG(pair, &start))
        }
    }
}
