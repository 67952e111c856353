internal import COpenSSL

/// Comparisons that take as long whatever the bytes are, so that time does not tell how many of them are right.
enum ConstantTime {
    /// The lengths are no secret.
    static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        // Sound: both arrays have as many bytes as are compared.
        unsafe left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
    }
}
