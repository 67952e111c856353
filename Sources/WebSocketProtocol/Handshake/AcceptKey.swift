internal import COpenSSL
internal import HTTP1

/// `Sec-WebSocket-Key` and `Sec-WebSocket-Accept`. They prove that the server has read the opening handshake (RFC 6455
/// sections 4.1 and 4.2.2).
public enum AcceptKey {
    /// The GUID of RFC 6455 section 1.3.
    private static let suffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    /// The `Sec-WebSocket-Accept` for this `Sec-WebSocket-Key`.
    public static func value(for key: String) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(64)
        bytes.append(contentsOf: key.utf8)
        bytes.append(contentsOf: self.suffix.utf8)
        return Base64.encoded(self.sha1(bytes).span)
    }

    /// Whether this is a `Sec-WebSocket-Key`: 16 bytes in Base64 (RFC 6455 section 4.2.1).
    ///
    /// 22 characters carry four bits more than 16 bytes. Some clients set these at random, and RFC 4648 section 3.5 leaves it
    /// to the decoder, so they are not checked. The answer is made from the text.
    public static func isValidKey(_ key: String) -> Bool {
        let characters = key.utf8.span
        guard characters.count == 24 else { return false }
        for index in 0..<22 where Base64.value(of: characters[index]) == nil { return false }
        for index in 22..<24 where characters[index] != UInt8(ascii: "=") { return false }
        return true
    }

    /// A `Sec-WebSocket-Key` made of 16 random bytes.
    public static func makeKey(random bytes: [UInt8]) -> String {
        precondition(bytes.count == 16, "a key has 16 bytes")
        return Base64.encoded(bytes.span)
    }

    private static func sha1(_ bytes: [UInt8]) -> InlineArray<20, UInt8> {
        var digest = InlineArray<20, UInt8>(repeating: 0)
        var output = digest.mutableSpan
        // Sound: libcrypto reads `bytes.count` bytes, which the array has, and writes SHA_DIGEST_LENGTH bytes, the 20 of
        // `digest`. Both live as long as the call, and libcrypto keeps neither pointer.
        let status = unsafe output.withUnsafeMutableBufferPointer { output in
            unsafe EVP_Digest(bytes, bytes.count, output.baseAddress, nil, self.algorithm, nil)
        }
        precondition(status == 1, "libcrypto has SHA-1")
        return digest
    }

    /// Fetched once. libcrypto's `SHA1` fetches it in each call, which takes longer than the digest.
    ///
    /// Sound: all threads may share it, as it is never changed and never freed.
    nonisolated(unsafe) private static let algorithm = unsafe EVP_MD_fetch(nil, "SHA1", nil)
}
