/// Scans of a head, eight bytes at a time.
extension Span<UInt8> {
    /// The index of the first byte from `start` on that is not part of a token, at most `end`.
    func skipToken(from start: Int, to end: Int) -> Int {
        self.skip(from: start, to: end, marking: { $0.notLettersOrHyphens }, where: { $0.isToken })
    }

    /// The index of the first byte from `start` on that a field value cannot have, at most `end`.
    func skipFieldContent(from start: Int, to end: Int) -> Int {
        self.skip(from: start, to: end, marking: { $0.controls }, where: { $0.isFieldContent })
    }

    /// Whether all bytes are `VCHAR` or spaces.
    var isPrintable: Bool {
        let end = self.skip(
            from: 0, to: self.count, marking: { $0.controls | $0 & .highBits }, where: { 0x20...0x7E ~= $0 })
        return end == self.count
    }

    /// - Parameter marking: the high bit of each byte that may not be a member. Those are asked about one by one.
    @inline(__always)
    private func skip(
        from start: Int, to end: Int, marking others: (UInt64) -> UInt64, where isMember: (UInt8) -> Bool
    ) -> Int {
        var index = start
        while index < end {
            if index + 8 <= end {
                let marks = others(self.word(at: index))
                // 8 if there is none.
                index += marks.trailingZeroBitCount / 8
                if marks == 0 { continue }
            }
            guard isMember(self[index]) else { return index }
            index += 1
        }
        return index
    }

    /// The eight bytes at `index`, the first one lowest.
    @inline(__always)
    private func word(at index: Int) -> UInt64 {
        // All eight are checked to be inside, and any bits are a number.
        unsafe UInt64(littleEndian: self.bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
    }
}

extension UInt64 {
    fileprivate static var highBits: UInt64 { Self.each(0x80) }

    /// Eight times this byte.
    private static func each(_ byte: UInt8) -> UInt64 { 0x0101_0101_0101_0101 &* UInt64(byte) }

    /// The high bit of each byte below 0x20, and of each DEL. Borrows can mark bytes above the lowest of these, too.
    fileprivate var controls: UInt64 {
        let deletes = self ^ Self.each(0x7F)
        let below = (self &- Self.each(0x20)) & ~self
        let zero = (deletes &- Self.each(1)) & ~deletes
        return (below | zero) & .highBits
    }

    /// The high bit of each byte that is neither a letter nor `-`: names of fields hardly have others. No sum leaves its byte.
    fileprivate var notLettersOrHyphens: UInt64 {
        let low = (self | Self.each(0x20)) & ~.highBits
        let fromA = low &+ Self.each(0x80 - 0x61)
        let aboveZ = low &+ Self.each(0x7F - 0x7A)
        let hyphens = self ^ Self.each(UInt8(ascii: "-"))
        let notHyphen = (hyphens & ~.highBits) &+ Self.each(0x7F) | hyphens
        return (~(fromA & ~aboveZ & ~self) & notHyphen) & .highBits
    }
}
