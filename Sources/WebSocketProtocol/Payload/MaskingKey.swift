/// The key that masks a client's payload (RFC 6455 section 5.3).
public struct MaskingKey: Hashable, Sendable {
    /// The key's four bytes, in memory as on the wire, whatever the machine's byte order.
    public let bits: UInt32

    /// A key of random bits. Their order does not matter.
    public init(bits: UInt32) {
        self.bits = bits
    }

    /// The key with these bytes, in wire order.
    public init(_ first: UInt8, _ second: UInt8, _ third: UInt8, _ fourth: UInt8) {
        let value = UInt32(first) | UInt32(second) << 8 | UInt32(third) << 16 | UInt32(fourth) << 24
        self.bits = value.littleEndian
    }

    /// The byte that masks the payload byte at `index`, which is taken modulo 4.
    public subscript(index: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: UInt32(littleEndian: self.bits) >> UInt32(truncatingIfNeeded: (index & 3) * 8))
    }

    /// The key for the rest of a payload after its first `count` bytes.
    public func rotated(by count: Int) -> MaskingKey {
        let value = UInt32(littleEndian: self.bits)
        let shift = UInt32(truncatingIfNeeded: (count & 3) * 8)
        // `&<<` takes its count modulo 32: with a shift of 0 the value is combined with itself.
        return MaskingKey(bits: (value &>> shift | value &<< (32 &- shift)).littleEndian)
    }
}
