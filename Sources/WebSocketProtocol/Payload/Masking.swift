/// Work on payload bytes, eight or more at a time. This file has the only unsafe code for frames.
public enum Masking {
    /// Masks or unmasks the bytes at `range` in place, which is the same operation (RFC 6455 section 5.3). The byte at
    /// `range.lowerBound` meets the key's first byte.
    public static func apply(_ key: MaskingKey, to bytes: inout MutableSpan<UInt8>, range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "range outside of the bytes")
        guard !range.isEmpty else { return }
        let pattern = UInt64(key.bits) << 32 | UInt64(key.bits)
        unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            // Sound: the precondition puts `range` inside the buffer, which is not empty because the range is not. Every
            // access below lies wholly between 0 and `range.count`. Accesses are unaligned, and the pointer does not
            // leave the closure.
            guard let base = buffer.baseAddress else { return }
            unsafe self.xor(UnsafeMutableRawPointer(base) + range.lowerBound, count: range.count, with: pattern)
        }
    }

    /// Appends `bytes` to `destination`, XORed with `key`. The first of them meets the key's first byte. Without a key
    /// they are copied.
    public static func appendXored(_ bytes: Span<UInt8>, with key: MaskingKey?, to destination: inout [UInt8]) {
        let start = destination.count
        // Sound: the pointer is only read by `append`, which copies, and does not leave the closure.
        unsafe bytes.withUnsafeBufferPointer { unsafe destination.append(contentsOf: $0) }
        guard let key else { return }
        var target = destination.mutableSpan
        self.apply(key, to: &target, range: start..<start + bytes.count)
    }

    /// Counts the ASCII bytes from `start` on, in whole groups of 8. The bytes are masked with `key`: its first byte
    /// belongs to the byte at `start`.
    static func asciiGroups(in bytes: Span<UInt8>, from start: Int, key: MaskingKey) -> Int {
        precondition(start >= 0 && start <= bytes.count, "start outside of the bytes")
        let count = bytes.count - start
        guard count >= 8 else { return 0 }
        let highBits: UInt64 = 0x8080_8080_8080_8080
        let pattern = (UInt64(key.bits) << 32 | UInt64(key.bits)) & highBits
        return unsafe bytes.withUnsafeBufferPointer { buffer in
            // Sound: there are `count` bytes from `start` on, at least 8, so the buffer has an address. Every load takes
            // 8 bytes at an offset of at most `count - 8`. The pointer does not leave the closure.
            guard let base = buffer.baseAddress else { return 0 }
            let bytes = unsafe UnsafeRawPointer(base) + start
            var offset = 0
            while offset <= count - 8 {
                let word = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                guard word & highBits == pattern else { break }
                offset += 8
            }
            return offset
        }
    }

    /// XORs `count` bytes from `bytes` on with `pattern`, repeated, in the order in which it lies in memory.
    ///
    /// `SIMD4<UInt64>` becomes vector code. `SIMD32<UInt8>` does not.
    private static func xor(_ bytes: UnsafeMutableRawPointer, count: Int, with pattern: UInt64) {
        // Sound: the caller guarantees `count` writable bytes, and each access lies wholly below `count`.
        let wide = SIMD4<UInt64>(repeating: pattern)
        var offset = 0
        while count - offset >= 32 {
            let group = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: SIMD4<UInt64>.self)
            unsafe bytes.storeBytes(of: group ^ wide, toByteOffset: offset, as: SIMD4<UInt64>.self)
            offset += 32
        }
        while count - offset >= 8 {
            let group = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            unsafe bytes.storeBytes(of: group ^ pattern, toByteOffset: offset, as: UInt64.self)
            offset += 8
        }
        var rest = UInt64(littleEndian: pattern)
        while offset < count {
            let byte = unsafe bytes.load(fromByteOffset: offset, as: UInt8.self)
            unsafe bytes.storeBytes(
                of: byte ^ UInt8(truncatingIfNeeded: rest), toByteOffset: offset, as: UInt8.self)
            rest &>>= 8
            offset += 1
        }
    }
}
