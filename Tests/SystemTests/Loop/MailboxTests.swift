import Synchronization
import Testing

@testable import System

@Suite struct MailboxTests {
    private struct Note: Sendable {
        let sender: Int
        let number: Int
    }

    @Test func `messages of each sender arrive in their order`() throws {
        let loop = try EventLoop()
        let mailbox = try Mailbox<Note>()
        let senders = 6
        let notes = 2000
        var heard = [Int](repeating: 0, count: senders)
        var total = 0
        var isOrdered = true
        try mailbox.open(on: loop) { note in
            isOrdered = isOrdered && heard[note.sender] == note.number
            heard[note.sender] += 1
            total += 1
            if total == senders * notes { loop.stop() }
        }
        var threads: [Thread.Handle] = []
        for sender in 0..<senders {
            threads.append(
                try Thread.start("sender-\(sender)") {
                    for number in 0..<notes { mailbox.send(Note(sender: sender, number: number)) }
                })
        }
        loop.run()
        for thread in threads { thread.join() }
        #expect(isOrdered)
        #expect(heard == [Int](repeating: notes, count: senders))
    }

    @Test func `messages sent before opening arrive`() throws {
        let loop = try EventLoop()
        let mailbox = try Mailbox<Int>()
        mailbox.send(1)
        mailbox.send(2)
        var heard: [Int] = []
        try mailbox.open(on: loop) { heard.append($0) }
        loop.turn(waitingAtMost: .seconds(20))
        #expect(heard == [1, 2])
        loop.turn(waitingAtMost: .zero)
        #expect(heard == [1, 2])
    }

    @Test func `a message sent while receiving arrives in the next turn`() throws {
        let loop = try EventLoop()
        let mailbox = try Mailbox<Int>()
        var heard: [Int] = []
        try mailbox.open(on: loop) { number in
            heard.append(number)
            if number < 3 { mailbox.send(number + 1) }
        }
        mailbox.send(1)
        for expected in [[1], [1, 2], [1, 2, 3]] {
            loop.turn(waitingAtMost: .seconds(20))
            #expect(heard == expected)
        }
    }

    @Test func `a long queue is received in portions and in order`() throws {
        let loop = try EventLoop()
        let mailbox = try Mailbox<Int>()
        let other = try Mailbox<Int>()
        var heard: [Int] = []
        var others: [Int] = []
        // Each message takes a third of a long share.
        try mailbox.open(on: loop) { number in
            heard.append(number)
            loop.budget.spend(WorkBudget.longShare / 3)
        }
        try other.open(on: loop) { others.append($0) }
        for number in 0..<30 { mailbox.send(number) }
        loop.turn(waitingAtMost: .seconds(20))
        let first = heard.count
        #expect((1..<30).contains(first))
        // A new message comes after those that wait, but another mailbox does not wait for them.
        mailbox.send(30)
        other.send(1)
        loop.turn(waitingAtMost: .seconds(20))
        #expect(others == [1])
        #expect((first + 1..<30).contains(heard.count))
        for _ in 0..<30 { loop.turn(waitingAtMost: .zero) }
        #expect(heard == Array(0...30))
    }
}
