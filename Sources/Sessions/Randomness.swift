internal import System
public import WebSocketProtocol

/// Unpredictable values, from the system's generator.
public enum Randomness {
    /// 64 random bits.
    public static func word() -> UInt64 {
        var source = SystemRandomness()
        return source.next()
    }

    /// `count` random bytes.
    ///
    /// - Parameter count: a multiple of 8.
    public static func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            let word = self.word()
            for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
        }
        return bytes
    }
}

extension MaskingKey {
    /// An unpredictable key (RFC 6455 section 5.3).
    public static var random: MaskingKey { MaskingKey(bits: UInt32(truncatingIfNeeded: Randomness.word())) }
}
