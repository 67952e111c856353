internal import WebSocketProtocol

/// What nobody can guess: from the system's generator, a word at a time, because each is a system call.
enum Randomness {
    /// - Parameter count: a multiple of 8.
    static func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let word = UInt64.random(in: .min ... .max)
            for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
        }
        return bytes
    }
}

extension MaskingKey {
    /// A key that nobody can guess (RFC 6455 section 5.3).
    static var random: MaskingKey { MaskingKey(bits: .random(in: .min ... .max)) }
}
