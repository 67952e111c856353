internal import HTTP1

/// A network in CIDR notation: `10.0.0.0/8`, `fd00::/8`; an address alone is a network of one.
public struct IPNetwork: Hashable, Sendable, CustomStringConvertible {
    let address: IPAddress
    /// In bits of the 128-bit form: 96 more than an IPv4 prefix is written with.
    let prefix: Int

    init(address: IPAddress, prefix: Int) {
        self.address = address
        self.prefix = prefix
    }

    /// Whether the first `prefix` bits are the same. An IPv4 address is compared in its mapped form.
    public func contains(_ other: IPAddress) -> Bool {
        func mask(_ bits: Int) -> UInt64 { bits <= 0 ? 0 : bits >= 64 ? ~0 : ~(~0 >> UInt64(bits)) }
        return (self.address.high ^ other.high) & mask(self.prefix) == 0
            && (self.address.low ^ other.low) & mask(self.prefix - 64) == 0
    }

    /// Whether there is an address in both.
    func overlaps(_ other: IPNetwork) -> Bool {
        self.prefix <= other.prefix ? self.contains(other.address) : other.contains(self.address)
    }

    /// Reads `10.0.0.0/8`, `fd00::/8`, or an address, which is a network of one. Bits after the prefix are cleared.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(parts[0]) else { return nil }
        // `::ffff:10.0.0.0/104` counts from the left of the 128 bits, as it is written.
        let isDotted = !parts[0].utf8.contains(UInt8(ascii: ":"))
        var prefix = 128
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy(\.isDigit),
                let bits = Int(parts[1]), bits <= (isDotted ? 32 : 128)
            else { return nil }
            prefix = isDotted ? 96 + bits : bits
        }
        let high: UInt64 = prefix >= 64 ? ~0 : ~(~0 >> UInt64(prefix))
        let low: UInt64 = prefix >= 128 ? ~0 : prefix <= 64 ? 0 : ~(~0 >> UInt64(prefix - 64))
        self.init(address: IPAddress(high: address.high & high, low: address.low & low), prefix: prefix)
    }

    /// CIDR notation; an address alone for a network of one.
    public var description: String {
        guard self.prefix < 128 else { return self.address.description }
        return "\(self.address)/\(self.address.isIPv4 && self.prefix >= 96 ? self.prefix - 96 : self.prefix)"
    }
}

extension [IPNetwork] {
    /// Whether an `allow` with these lets an address in.
    ///
    /// - Parameter address: `nil`: on a Unix socket there is none.
    public func allows(_ address: IPAddress?) -> Bool {
        self.isEmpty || address.map { address in self.contains { $0.contains(address) } } ?? false
    }
}
