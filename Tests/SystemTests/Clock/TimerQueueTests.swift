import TestSupport
import Testing

@testable import System

@Suite struct TimerQueueTests {
    private func at(_ nanoseconds: Int64) -> MonotonicInstant { MonotonicInstant(nanoseconds: nanoseconds) }

    /// A simple model of the queue: a list that is searched from start to end.
    private struct Model {
        var entries: [(id: TimerQueue<Int>.ID, deadline: MonotonicInstant, element: Int)] = []

        var next: MonotonicInstant? { self.entries.map(\.deadline).min() }

        mutating func remove(_ element: Int) { self.entries.removeAll { $0.element == element } }
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `random operations agree with a sorted list`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var queue = TimerQueue<Int>()
        var model = Model()
        var stale: [TimerQueue<Int>.ID] = []
        var now: Int64 = 0
        for element in 0..<3000 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4:
                let deadline = self.at(now + .random(in: 0..<50, using: &random))
                model.entries.append((queue.insert(element, at: deadline), deadline, element))
            case 4..<6:
                guard let index = model.entries.indices.randomElement(using: &random) else { continue }
                let deadline = self.at(now + .random(in: -20..<80, using: &random))
                #expect((queue.move(model.entries[index].id, to: deadline)) == true)
                model.entries[index].deadline = deadline
            case 6:
                guard let entry = model.entries.randomElement(using: &random) else { continue }
                queue.remove(entry.id)
                model.remove(entry.element)
                stale.append(entry.id)
            case 7:
                guard let id = stale.randomElement(using: &random) else { continue }
                queue.remove(id)
                #expect((queue.move(id, to: self.at(0))) == false)
            default:
                now += .random(in: 0..<10, using: &random)
                while let fired = queue.popExpired(self.at(now)) {
                    let entry = model.entries.first { $0.element == fired }
                    #expect(entry?.deadline == model.next)
                    #expect(entry.map { $0.deadline <= self.at(now) } == true)
                    entry.map { stale.append($0.id) }
                    model.remove(fired)
                }
                #expect(model.next.map { $0 > self.at(now) } != false)
            }
            #expect(queue.next == model.next)
        }
    }

    @Test func `an empty queue has nothing`() {
        var queue = TimerQueue<Int>()
        #expect(queue.next == nil)
        #expect(queue.popExpired(self.at(.max)) == nil)
    }

    @Test func `a deadline is inclusive`() {
        var queue = TimerQueue<Int>()
        _ = queue.insert(1, at: self.at(5))
        #expect(queue.popExpired(self.at(4)) == nil)
        #expect(queue.popExpired(self.at(5)) == 1)
    }

    @Test func `the ID of a fired timer does not reach its successor`() {
        var queue = TimerQueue<Int>()
        let old = queue.insert(1, at: self.at(1))
        #expect(queue.popExpired(self.at(1)) == 1)
        let new = queue.insert(2, at: self.at(2))
        #expect(old != new)
        #expect((queue.move(old, to: self.at(9))) == false)
        queue.remove(old)
        #expect(queue.next == self.at(2))
        queue.remove(new)
        queue.remove(new)
        #expect(queue.next == nil)
    }

    @Test func `moving a timer changes the order`() {
        var queue = TimerQueue<String>()
        let first = queue.insert("first", at: self.at(1))
        _ = queue.insert("second", at: self.at(2))
        #expect((queue.move(first, to: self.at(3))) == true)
        #expect(queue.popExpired(self.at(10)) == "second")
        #expect(queue.popExpired(self.at(10)) == "first")
    }
}
