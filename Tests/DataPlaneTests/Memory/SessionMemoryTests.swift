import System
import Testing

@testable import Connections
@testable import DataPlane

@Suite struct SessionMemoryTests {
    private func at(_ seconds: Int64) -> MonotonicInstant { MonotonicInstant(nanoseconds: seconds * 1_000_000_000) }

    @Test func timeForWhichNothingIsReadDoesNotCountNorAsLongAgain() {
        var memory = SessionMemory()
        memory.assembled = 1
        memory.madeProgress(at: self.at(10))
        #expect(memory.idle(at: self.at(12)) == .seconds(2))
        // Not read from 12 to 15.
        memory.resumed(afterPause: .seconds(3))
        #expect(memory.idle(at: self.at(15)) == .zero)
        #expect(memory.idle(at: self.at(18)) == .seconds(2))
        #expect(memory.idle(at: self.at(19)) == .seconds(3))
        memory.madeProgress(at: self.at(19))
        #expect(memory.idle(at: self.at(20)) == .seconds(1))
    }

    @Test func whoHoldsNothingOfAMessageHasNoneToGoOnWith() {
        var memory = SessionMemory()
        memory.madeProgress(at: self.at(10))
        #expect(memory.idle(at: self.at(100)) == .zero)
    }

    @Test func thePresentOfAClientThatIsNotReadIsWhenThatBegan() {
        var reading = ReadSide()
        #expect(reading.lastRead(at: self.at(10)) == self.at(10))
        reading.pause(at: self.at(10))
        reading.pause(at: self.at(12))
        #expect(reading.lastRead(at: self.at(15)) == self.at(10))
        reading.resume(at: self.at(16))
        #expect(reading.lastRead(at: self.at(17)) == self.at(17))
    }
}
