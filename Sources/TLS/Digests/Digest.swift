import COpenSSL

/// SHA-256, alone and keyed, and SHA-1, by libcrypto.
public enum Digest {
    private static let length = Int(SHA256_DIGEST_LENGTH)

    /// SHA-256 (FIPS 180-4): 32 bytes.
    public static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        // Sound: SHA256 reads `bytes` and writes 32 bytes.
        unsafe [UInt8](unsafeUninitializedCapacity: self.length) { buffer, count in
            unsafe SHA256(bytes, bytes.count, buffer.baseAddress)
            count = self.length
        }
    }

    /// SHA-1 (FIPS 180-4): 20 bytes. For names that others chose it for, never for security.
    public static func sha1(_ bytes: [UInt8]) -> [UInt8] {
        // Sound: SHA1 reads `bytes` and writes 20 bytes.
        unsafe [UInt8](unsafeUninitializedCapacity: Int(SHA_DIGEST_LENGTH)) { buffer, count in
            unsafe SHA1(bytes, bytes.count, buffer.baseAddress)
            count = Int(SHA_DIGEST_LENGTH)
        }
    }

    /// HMAC with SHA-256 (RFC 2104): 32 bytes.
    ///
    /// - Parameter key: not empty.
    public static func hmac(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        // Sound: libcrypto reads `key` and `bytes`, writes at most `length` bytes, and keeps no pointer.
        let digest = unsafe [UInt8](unsafeUninitializedCapacity: self.length) { buffer, count in
            unsafe EVP_Q_mac(
                nil, "HMAC", nil, "SHA256", nil, key, key.count, bytes, bytes.count, buffer.baseAddress, self.length,
                &count)
        }
        precondition(digest.count == self.length, "libcrypto has HMAC with SHA-256")
        return digest
    }
}
