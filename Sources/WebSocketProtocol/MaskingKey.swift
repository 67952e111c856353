/// The key a client's payload is masked with (RFC 6455 section 5.3).
package struct MaskingKey: Hashable, Sendable {
    /// The four bytes of the key as they lie in memory and on the wire, whatever the machine's byte order.
    package let bits: UInt32

    /// A key of random bits: which byte comes first makes no difference then.
    package init(bits: UInt32) {
        self.bits = bits
    }

    /// The key with these bytes, in wire order.
    package init(_ first: UInt8, _ second: UInt8, _ third: UInt8, _ fourth: UInt8) {
        let value = UInt32(first) | UInt32(second) << 8 | UInt32(third) << 16 | UInt32(fourth) << 24
        self.bits = value.littleEndian
    }

    /// The byte that masks the payload byte at `index` (taken modulo 4).
    package subscript(index: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: UInt32(littleEndian: self.bits) >> UInt32(truncatingIfNeeded: (index & 3) * 8))
    }

    /// The key for a payload whose first `count` bytes are gone.
    package func rotated(by count: Int) -> MaskingKey {
        let value = UInt32(littleEndian: self.bits)
        let shift = UInt32(truncatingIfNeeded: (count & 3) * 8)
        // `&<<` takes its count modulo 32, so a shift of 0 is the value or-ed with itself.
        return MaskingKey(bits: (value &>> shift | value &<< (32 &- shift)).littleEndian)
    }
}
