/// When memory goes back to the system: the allocator keeps what was freed, in case it is needed again.
public struct MemoryPeak: Equatable, Sendable {
    /// Less than that is not worth it.
    private static let least = 16 << 20

    /// The most that was held since memory went back last, in bytes.
    public private(set) var most = 0

    public init() {}

    /// Whether so much less is held now than before that the rest goes back.
    ///
    /// - Parameters:
    ///   - peak: the most that was held since this was asked last.
    ///   - total: what is held now.
    public mutating func isOver(peak: Int, total: Int) -> Bool {
        self.most = max(self.most, peak, total)
        guard self.most - total >= max(Self.least, self.most / 4) else { return false }
        self.most = total
        return true
    }
}
