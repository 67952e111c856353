extension String {
    /// The most bytes of a peer's text that the log and the admin address show. Decisions always use the whole text.
    private static let mostShown = 512

    /// The text itself or, if it is too long, its beginning with a `…`. No scalar is split.
    public var cut: String {
        let bytes = self.utf8
        guard bytes.count > Self.mostShown else { return self }
        var end = bytes.index(bytes.startIndex, offsetBy: Self.mostShown)
        while bytes[end] & 0xC0 == 0x80 { end = bytes.index(before: end) }
        return String(self[..<end]) + "…"
    }
}
