import Testing

@testable import DataPlane

@Suite struct MemoryPeakTests {
    /// Whether memory goes back, at each of these looks: the most that was held since the one before, and what is now, in MiB.
    private func goesBack(_ looks: [(peak: Double, total: Double)]) -> [Bool] {
        var peak = MemoryPeak()
        return looks.map { peak.isOver(peak: Int($0.peak * 1_048_576), total: Int($0.total * 1_048_576)) }
    }

    @Test func memoryGoesBackOnceMuchLessIsHeldThanBefore() {
        #expect(self.goesBack([(100, 100), (100, 76), (76, 75)]) == [false, false, true])
    }

    @Test func fromThereOnItIsAboutWhatComesAfter() {
        #expect(self.goesBack([(100, 75), (75, 60), (75, 50), (50, 0), (0, 0)]) == [true, false, true, true, false])
    }

    @Test func aPeakBetweenTwoLooksCounts() {
        #expect(self.goesBack([(0, 0), (16, 0)]) == [false, true])
    }

    @Test func aLittleIsNotWorthIt() {
        #expect(self.goesBack([(15.9, 0)]) == [false])
    }
}
