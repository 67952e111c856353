/// A hash that is the same in every process and on every machine, unlike `Hasher`: 64-bit FNV-1a.
///
/// It does not withstand an adversary, which can choose bytes that collide.
public struct StableHash: Sendable {
    /// The hash of what was added so far.
    public private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    /// The hash of no bytes: FNV's offset basis.
    public init() {}

    /// Adds a byte.
    public mutating func add(_ byte: UInt8) {
        self.value = (self.value ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
    }

    /// Adds bytes.
    public mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { self.add(byte) }
    }

    /// The hash of `bytes`.
    public static func of(_ bytes: some Sequence<UInt8>) -> UInt64 {
        var hash = StableHash()
        hash.add(bytes)
        return hash.value
    }

    /// The hash of the text's UTF-8.
    public static func of(_ text: String) -> UInt64 {
        self.of(text.utf8)
    }

    /// Mixes the bits, so that each affects all others. FNV alone does not: texts that differ only in their last byte have
    /// nearly the same high bits. Different values stay different.
    static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
