internal import COpenSSL

/// Keyed hashes (RFC 2104) by libcrypto.
enum HMAC {
    private static let longest = Int(EVP_MAX_MD_SIZE)

    /// 32 random bytes.
    static func makeKey() -> [UInt8] {
        // Sound: libcrypto writes as many bytes as the array has room for.
        unsafe [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            let status = unsafe RAND_bytes(buffer.baseAddress, 32)
            precondition(status == 1, "libcrypto has random bytes")
            count = 32
        }
    }

    /// - Parameters:
    ///   - key: not empty.
    ///   - hash: libcrypto's name of it, such as `SHA256`.
    static func value(of bytes: [UInt8], key: [UInt8], hash: String) -> [UInt8] {
        // Sound: libcrypto reads `key` and `bytes`, writes at most `longest` bytes, and keeps no pointer.
        let value = unsafe [UInt8](unsafeUninitializedCapacity: self.longest) { buffer, count in
            unsafe EVP_Q_mac(
                nil, "HMAC", nil, hash, nil, key, key.count, bytes, bytes.count, buffer.baseAddress, self.longest,
                &count)
        }
        precondition(!value.isEmpty, "libcrypto has HMAC with \(hash)")
        return value
    }
}
