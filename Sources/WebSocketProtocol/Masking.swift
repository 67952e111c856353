/// The four bytes that a client's payload is XORed with (RFC 6455 section 5.3).
package struct MaskingKey: Hashable, Sendable {
    /// In memory order: the key's first byte is the lowest byte on a little-endian machine.
    fileprivate let word: UInt32

    /// - Parameter bytes: in wire order.
    package init(_ first: UInt8, _ second: UInt8, _ third: UInt8, _ fourth: UInt8) {
        self.word = UInt32(first) | UInt32(second) << 8 | UInt32(third) << 16 | UInt32(fourth) << 24
    }

    private init(word: UInt32) { self.word = word }

    /// A key that a peer cannot guess (RFC 6455 section 5.3).
    package static func random() -> MaskingKey { MaskingKey(word: .random(in: .min ... .max)) }

    /// The key as seen from `count` bytes further on in the payload.
    package func rotated(by count: Int) -> MaskingKey {
        let bits = UInt32(count & 3) * 8
        return bits == 0 ? self : MaskingKey(word: self.word >> bits | self.word << (32 - bits))
    }

    /// The key's byte at `index` of the payload.
    package subscript(index: Int) -> UInt8 { UInt8(truncatingIfNeeded: self.word >> (UInt32(index & 3) * 8)) }
}

/// Masks and unmasks, which is the same operation.
package enum Masking {
    /// XORs `range` of `bytes` in place; `key` applies from the first byte of the range on.
    ///
    /// 32 bytes at a time: `SIMD4<UInt64>` compiles to vector instructions here, `SIMD32<UInt8>` does not.
    package static func apply(_ key: MaskingKey, to bytes: inout MutableSpan<UInt8>, range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        let wide = UInt64(key.word) << 32 | UInt64(key.word)
        let vector = SIMD4<UInt64>(repeating: UInt64(littleEndian: wide))
        // All loads and stores are unaligned ones between the bounds of `range`, which was just checked against the span.
        unsafe bytes.withUnsafeMutableBytes { memory in
            var index = range.lowerBound
            while index + 32 <= range.upperBound {
                let block = unsafe memory.loadUnaligned(fromByteOffset: index, as: SIMD4<UInt64>.self)
                unsafe memory.storeBytes(of: block ^ vector, toByteOffset: index, as: SIMD4<UInt64>.self)
                index += 32
            }
            while index + 8 <= range.upperBound {
                let block = unsafe memory.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                unsafe memory.storeBytes(of: block ^ UInt64(littleEndian: wide), toByteOffset: index, as: UInt64.self)
                index += 8
            }
            // A whole number of keys was used up so far: the key starts anew.
            var position = 0
            while index < range.upperBound {
                unsafe memory[index] ^= key[position]
                index += 1
                position += 1
            }
        }
    }
}
