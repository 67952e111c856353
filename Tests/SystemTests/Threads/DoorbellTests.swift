import Testing

@testable import System

@Suite struct DoorbellTests {
    @Test func `a ring is remembered until a thread waits`() throws {
        let doorbell = try Doorbell()
        doorbell.ring()
        doorbell.ring()
        doorbell.wait()
        let answer = try Doorbell()
        let thread = try Thread.start("waits") {
            doorbell.wait()
            answer.ring()
        }
        doorbell.ring()
        answer.wait()
        thread.join()
    }
}
