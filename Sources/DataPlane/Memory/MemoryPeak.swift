/// When to return memory to the system: the allocator keeps what was freed for reuse.
public struct MemoryPeak: Equatable, Sendable {
    /// A smaller difference is not worth returning, in bytes.
    private static let least = 16 << 20

    /// The most bytes that were held since memory was last returned.
    public private(set) var most = 0

    /// Nothing was held yet.
    public init() {}

    /// Whether so much less is held now that memory should be returned.
    ///
    /// - Parameters:
    ///   - peak: the most bytes that were held since the last call.
    ///   - total: the bytes that are held now.
    public mutating func isOver(peak: Int, total: Int) -> Bool {
        self.most = max(self.most, peak, total)
        guard self.most - total >= max(Self.least, self.most / 4) else { return false }
        self.most = total
        return true
    }
}
