internal import System
package import WebSocketProtocol

/// What nobody can guess: from the system's generator.
package enum Randomness {
    package static func word() -> UInt64 {
        var source = SystemRandomness()
        return source.next()
    }

    /// - Parameter count: a multiple of 8.
    package static func bytes(_ count: Int) -> [UInt8] {
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
    /// A key that nobody can guess (RFC 6455 section 5.3).
    package static var random: MaskingKey { MaskingKey(bits: UInt32(truncatingIfNeeded: Randomness.word())) }
}
