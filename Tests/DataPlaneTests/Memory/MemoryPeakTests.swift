import Testing

@testable import DataPlane

@Suite struct MemoryPeakTests {
    /// Whether memory is returned at each of these checks: the peak since the one before, and what is held now, in MiB.
    private func goesBack(_ looks: [(peak: Double, total: Double)]) -> [Bool] {
        var peak = MemoryPeak()
        return looks.map { peak.isOver(peak: Int($0.peak * 1_048_576), total: Int($0.total * 1_048_576)) }
    }

    @Test func `memory is returned once much less is held than before`() {
        #expect(self.goesBack([(100, 100), (100, 76), (76, 75)]) == [false, false, true])
    }

    @Test func `after memory is returned only later peaks count`() {
        #expect(self.goesBack([(100, 75), (75, 60), (75, 50), (50, 0), (0, 0)]) == [true, false, true, true, false])
    }

    @Test func `a peak between two checks counts`() {
        #expect(self.goesBack([(0, 0), (16, 0)]) == [false, true])
    }

    @Test func `a small difference is not worth returning`() {
        #expect(self.goesBack([(15.9, 0)]) == [false])
    }
}
