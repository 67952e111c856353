extension String {
    /// How much of a text that a peer chose is shown, in the log and at the admin address: bytes of UTF-8. What is decided by it is decided
    /// by the whole.
    private static let mostShown = 512

    /// At most so much of it that no line and no list becomes large by what somebody sent, with `…` where something is left out. No
    /// character is cut in two.
    package var cut: String {
        let bytes = self.utf8
        guard bytes.count > Self.mostShown else { return self }
        var end = bytes.index(bytes.startIndex, offsetBy: Self.mostShown)
        while bytes[end] & 0xC0 == 0x80 { end = bytes.index(before: end) }
        return String(self[..<end]) + "…"
    }
}
