/// An IPv4 or IPv6 address. An IPv4 address that is mapped into IPv6 (`::ffff:a.b.c.d`) equals the IPv4 address.
package struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// Network byte order, IPv4 mapped (RFC 4291 section 2.5.5.2).
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// An IPv4 address in host byte order: 127.0.0.1 is `0x7F00_0001`.
    package init(ipv4: UInt32) { self.init(high: 0, low: 0xFFFF_0000_0000 | UInt64(ipv4)) }

    package var isIPv4: Bool { self.high == 0 && self.low >> 32 == 0xFFFF }

    /// What counts as one address where clients are counted: an IPv4 address whole, of IPv6 the /64 that a single host may have all of
    /// (RFC 8273).
    package var subscriber: IPNetwork {
        self.isIPv4
            ? IPNetwork(address: self, prefix: 128) : IPNetwork(address: IPAddress(high: self.high, low: 0), prefix: 64)
    }
}

/// A network in CIDR notation: `10.0.0.0/8`, `fd00::/8`; an address alone is a network of one.
package struct IPNetwork: Hashable, Sendable {
    package let address: IPAddress
    /// Bits of the 128-bit form: an IPv4 prefix counts 96 more.
    package let prefix: Int

    package init(address: IPAddress, prefix: Int) {
        self.address = address
        self.prefix = prefix
    }

    package func contains(_ other: IPAddress) -> Bool {
        func mask(_ bits: Int) -> UInt64 { bits <= 0 ? 0 : bits >= 64 ? ~0 : ~(~0 >> UInt64(bits)) }
        return (self.address.high ^ other.high) & mask(self.prefix) == 0
            && (self.address.low ^ other.low) & mask(self.prefix - 64) == 0
    }
}
