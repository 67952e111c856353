import System
import Testing

@testable import Connections
@testable import DataPlane

@Suite struct SessionMemoryTests {
    private func at(_ seconds: Int64) -> MonotonicInstant { MonotonicInstant(nanoseconds: seconds * 1_000_000_000) }

    @Test func `twice the time without reading does not count`() {
        var memory = SessionMemory()
        memory.assembled = 1
        memory.madeProgress(at: self.at(10))
        #expect(memory.idle(at: self.at(12)) == .seconds(2))
        // The client was not read from 12 to 15.
        memory.resumed(afterPause: .seconds(3))
        #expect(memory.idle(at: self.at(15)) == .zero)
        #expect(memory.idle(at: self.at(18)) == .seconds(2))
        #expect(memory.idle(at: self.at(19)) == .seconds(3))
        memory.madeProgress(at: self.at(19))
        #expect(memory.idle(at: self.at(20)) == .seconds(1))
    }

    @Test func `a session without an incomplete message is never idle`() {
        var memory = SessionMemory()
        memory.madeProgress(at: self.at(10))
        #expect(memory.idle(at: self.at(100)) == .zero)
    }

    @Test func `for a client that is not read, time stands still`() {
        var reading = ReadSide()
        #expect(reading.lastRead(at: self.at(10)) == self.at(10))
        reading.pause(at: self.at(10))
        reading.pause(at: self.at(12))
        #expect(reading.lastRead(at: self.at(15)) == self.at(10))
        reading.resume(at: self.at(16))
        #expect(reading.lastRead(at: self.at(17)) == self.at(17))
    }
}
