import System
import Testing
import WebSocketProtocol

@testable import Connections
@testable import DataPlane

@Suite struct TakenMessagesTests {
    /// A leg that is sent text messages. Its socket accepts as much of the queue as a test says.
    private struct Sender {
        var taken = TakenMessages()
        var write = WriteSide()
        var tally = MessageTally()
        private let now = MonotonicInstant(nanoseconds: 0)

        /// - Parameter taken: how many bytes the socket accepts at once.
        mutating func send(_ count: Int, taken: Int = 0) {
            let before = self.tally
            self.tally.text += 1
            self.tally.payloadBytes += UInt64(count)
            let bytes = [UInt8](repeating: 1, count: count)
            if taken < count { self.write.append(bytes.span, from: taken, at: self.now) }
            if self.write.untaken > 0 { self.taken.sent(before, self.tally, self.write) }
        }

        mutating func take(_ count: Int) {
            var left = count
            var queue = self.write.takeQueue()
            let before = queue.count
            queue.flush { bytes in
                let taken = min(left, bytes.count)
                left -= taken
                return taken
            }
            self.write.putBack(queue, of: before, at: self.now)
        }

        var count: UInt64 { self.taken.taken(of: self.tally, self.write).text }
    }

    @Test func `messages that the socket accepts at once count`() {
        var sender = Sender()
        for _ in 0..<3 { sender.send(100, taken: 100) }
        #expect(sender.count == 3)
    }

    @Test func `a message counts when its last byte is accepted`() {
        var sender = Sender()
        sender.send(100, taken: 100)
        sender.send(50_000, taken: 20_000)
        #expect(sender.count == 1)
        sender.take(29_999)
        #expect(sender.count == 1)
        sender.take(1)
        #expect(sender.count == 2)
    }

    @Test func `large messages count one by one`() {
        var sender = Sender()
        for _ in 0..<5 { sender.send(20_000) }
        for taken in 0..<5 {
            #expect(sender.count == UInt64(taken))
            sender.take(20_000)
        }
        #expect(sender.count == 5)
        // Later messages begin anew.
        sender.send(10, taken: 10)
        sender.send(10, taken: 3)
        #expect(sender.count == 6)
    }

    /// Never more than was accepted, at most one step less than that, and never less than before.
    @Test func `small messages count in steps`() {
        var sender = Sender()
        var last: UInt64 = 0
        for round in 0..<2000 {
            for _ in 0..<20 { sender.send(10) }
            sender.take(round % 3 == 0 ? 450 : 150)
            let truth = sender.write.takenEver / 10
            #expect(sender.count <= truth)
            #expect(sender.count + 2 * (16 << 10) / 10 >= truth)
            #expect(sender.count >= last)
            last = sender.count
        }
    }

    @Test func `messages that will never be sent do not count`() {
        var sender = Sender()
        sender.send(100, taken: 100)
        sender.send(100, taken: 10)
        sender.write.fail(.reset)
        sender.send(100)
        #expect(sender.count == 1)
        #expect(sender.write.untaken == 190)
        sender.write.close()
        #expect(sender.count == 1)
    }
}
