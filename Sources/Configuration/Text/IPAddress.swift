internal import HTTP1

/// An IPv4 or IPv6 address. An IPv4 address that is mapped into IPv6 (`::ffff:a.b.c.d`) is equal to the IPv4 address.
public struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// Network byte order, IPv4 mapped (RFC 4291 section 2.5.5.2).
    public let high: UInt64
    /// The last 8 of the 16 bytes; an IPv4 address is in its last 4.
    public let low: UInt64

    /// Both halves in the order of `high` and `low`.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// An IPv4 address in host byte order: 127.0.0.1 is `0x7F00_0001`.
    public init(ipv4: UInt32) { self.init(high: 0, low: 0xFFFF_0000_0000 | UInt64(ipv4)) }

    /// It is an IPv4 address, perhaps written as one mapped into IPv6.
    public var isIPv4: Bool { self.high == 0 && self.low >> 32 == 0xFFFF }

    /// The unit in which clients are counted: an IPv4 address, or the /64 of an IPv6 address, since one host may have all of it (RFC 8273).
    public var subscriber: IPNetwork {
        self.isIPv4
            ? IPNetwork(address: self, prefix: 128) : IPNetwork(address: IPAddress(high: self.high, low: 0), prefix: 64)
    }

    /// Reads an IPv4 address in dotted decimal, or an IPv6 address as RFC 4291 section 2.2 writes it (without brackets
    /// and without a zone). Leading zeros in a part of an IPv4 address are refused: some systems take them for octal.
    public init?(_ text: String) {
        self.init(text[...])
    }

    init?(_ text: Substring) {
        if text.utf8.contains(UInt8(ascii: ":")) {
            guard let groups = Self.groups(of: text) else { return nil }
            let halves = groups.map(UInt64.init)
            self.init(
                high: halves[0] << 48 | halves[1] << 32 | halves[2] << 16 | halves[3],
                low: halves[4] << 48 | halves[5] << 32 | halves[6] << 16 | halves[7])
        } else {
            guard let ipv4 = Self.ipv4(text) else { return nil }
            self.init(ipv4: ipv4)
        }
    }

    /// Dotted decimal for IPv4 (mapped or not); else the canonical text of RFC 5952: lower case, no leading zeros, the
    /// longest run of two or more zero groups (the first of equals) as `::`.
    public var description: String {
        guard !self.isIPv4 else {
            return self.dottedDecimal
        }
        let groups = [self.high, self.low].flatMap { half in
            stride(from: 48, through: 0, by: -16).map { half >> UInt64($0) & 0xFFFF }
        }
        let text = { (part: ArraySlice<UInt64>) in part.map { String($0, radix: 16) }.joined(separator: ":") }
        guard let zeros = Self.longestZeros(in: groups) else { return text(groups[...]) }
        return text(groups[..<zeros.lowerBound]) + "::" + text(groups[zeros.upperBound...])
    }

    // MARK: - Reading

    private static func ipv4(_ text: Substring) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var address: UInt32 = 0
        for part in parts {
            let isDecimal = part.utf8.allSatisfy(\.isDigit)
            guard isDecimal, let byte = UInt8(part), part.utf8.first != UInt8(ascii: "0") || part.utf8.count == 1 else {
                return nil
            }
            address = address << 8 | UInt32(byte)
        }
        return address
    }

    /// The eight groups of an IPv6 address.
    private static func groups(of text: Substring) -> [UInt16]? {
        guard let gap = text.firstRange(of: "::") else {
            return self.groups(run: text).flatMap { $0.count == 8 ? $0 : nil }
        }
        // An embedded IPv4 address can only stand at the end.
        guard let before = self.groups(run: text[..<gap.lowerBound]),
            !text[..<gap.lowerBound].utf8.contains(UInt8(ascii: ".")),
            let after = self.groups(run: text[gap.upperBound...]), before.count + after.count <= 7
        else { return nil }
        return before + Array(repeating: 0, count: 8 - before.count - after.count) + after
    }

    /// Groups with single colons between them; none for an empty text.
    private static func groups(run text: Substring) -> [UInt16]? {
        guard !text.isEmpty else { return [] }
        var groups: [UInt16] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if part.utf8.contains(UInt8(ascii: ".")) {
                guard index == parts.count - 1, let ipv4 = self.ipv4(part) else { return nil }
                groups += [UInt16(truncatingIfNeeded: ipv4 >> 16), UInt16(truncatingIfNeeded: ipv4)]
            } else {
                // `UInt16(_:radix:)` alone would take a sign.
                guard (1...4).contains(part.utf8.count), part.utf8.first != UInt8(ascii: "+"),
                    let group = UInt16(part, radix: 16)
                else { return nil }
                groups.append(group)
            }
        }
        return groups
    }

    // MARK: - Writing

    /// Made as bytes, in place: every session and request needs one.
    private var dottedDecimal: String {
        var text = InlineArray<15, UInt8>(repeating: 0)
        var count = 0
        func append(_ character: UInt8) {
            text[count] = character
            count += 1
        }
        for shift in stride(from: 24, through: 0, by: -8) {
            let byte = UInt8(truncatingIfNeeded: self.low >> UInt64(shift))
            if byte >= 100 { append(UInt8(ascii: "0") + byte / 100) }
            if byte >= 10 { append(UInt8(ascii: "0") + byte / 10 % 10) }
            append(UInt8(ascii: "0") + byte % 10)
            if shift > 0 { append(UInt8(ascii: ".")) }
        }
        return asciiText(text.span.extracting(0..<count))
    }

    private static func longestZeros(in groups: [UInt64]) -> Range<Int>? {
        var longest = 0..<0
        var start = 0
        for (index, group) in groups.enumerated() {
            guard group == 0 else {
                start = index + 1
                continue
            }
            if index + 1 - start > longest.count { longest = start..<(index + 1) }
        }
        return longest.count >= 2 ? longest : nil
    }
}
