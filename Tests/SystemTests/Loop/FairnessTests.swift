import Testing

@testable import System

/// The order of calls if there is more to do than fits into a turn. The tests count calls and turns, not time.
@Suite struct FairnessTests {
    /// Handlers, each on a socket of its own.
    private final class Crowd {
        let loop: EventLoop
        private(set) var pairs: [SocketPair] = []
        private(set) var registrations: [EventLoop.Registration] = []
        /// The numbers of the handlers called, in order.
        private(set) var calls: [Int] = []
        private var recorders: [Recorder] = []

        init(_ loop: EventLoop) { self.loop = loop }

        deinit { for pair in self.pairs { pair.close() } }

        /// - Parameter work: gets the handler's number when it is called.
        func add(_ work: @escaping (Int) -> Void) throws {
            let number = self.pairs.count
            let pair = SocketPair()
            let recorder = Recorder()
            recorder.onReady = { [unowned self] _ in
                self.calls.append(number)
                // Readiness is reported as long as there is something to read.
                _ = receive(pair.near)
                work(number)
            }
            recorder.onLongStep = { [unowned self] _ in self.calls.append(number) }
            self.pairs.append(pair)
            self.recorders.append(recorder)
            self.registrations.append(try self.loop.addReading(pair.near, recorder))
        }

        func takeCalls() -> [Int] {
            defer { self.calls = [] }
            return self.calls
        }
    }

    @Test func `handlers that never finish take turns and leave the others theirs`() throws {
        let loop = try EventLoop()
        let crowd = Crowd(loop)
        let greedy = 40
        // Greedy handlers use up their share and ask for more, without end.
        for _ in 0..<greedy {
            try crowd.add { number in
                loop.budget.spend(WorkBudget.longShare)
                loop.again(crowd.registrations[number])
            }
        }
        try crowd.add { _ in }
        for number in 0..<greedy { put(crowd.pairs[number].far, "x") }
        // Their events do not all fit into a turn: the first ones begin.
        var served = 0
        while served < greedy {
            served += {
                loop.turn(waitingAtMost: .zero); return crowd.takeCalls().count
            }()
        }

        let perTurn = WorkBudget.turn / WorkBudget.longShare
        var order: [Int] = []
        for _ in 0..<20 {
            put(crowd.pairs[greedy].far, "x")
            loop.turn(waitingAtMost: .zero)
            let calls = crowd.takeCalls()
            // It waits for none of them, and they get no more than a turn's budget.
            #expect(calls.first == greedy)
            #expect(calls.count <= 1 + perTurn)
            order += calls.dropFirst()
        }
        #expect(order.count >= 20 * (perTurn - 1))
        // Round after round, each once.
        for start in stride(from: 0, to: order.count - greedy, by: greedy) {
            #expect(Set(order[start..<start + greedy]).count == greedy)
        }
    }

    @Test func `events beyond a turn's budget come first in the next`() throws {
        let loop = try EventLoop()
        let crowd = Crowd(loop)
        let perTurn = 4
        for _ in 0..<10 { try crowd.add { _ in loop.budget.spend(WorkBudget.turn / perTurn) } }
        for pair in crowd.pairs { put(pair.far, "x") }
        loop.turn(waitingAtMost: .zero)
        let first = crowd.takeCalls()
        #expect(first.count == perTurn)
        // Handlers that were called have events again, and wait for the others.
        for number in first { put(crowd.pairs[number].far, "x") }
        loop.turn(waitingAtMost: .zero)
        loop.turn(waitingAtMost: .zero)
        let second = crowd.takeCalls()
        #expect(Set(second).isDisjoint(with: first) && second.count == 10 - perTurn)
        loop.turn(waitingAtMost: .zero)
        #expect(Set(crowd.takeCalls()) == Set(first))
    }

    @Test func `a handler that is removed while its event waits is not called`() throws {
        let loop = try EventLoop()
        let crowd = Crowd(loop)
        for _ in 0..<3 { try crowd.add { _ in loop.budget.spend(WorkBudget.turn) } }
        for pair in crowd.pairs { put(pair.far, "x") }
        loop.turn(waitingAtMost: .zero)
        let first = try #require(crowd.takeCalls().first)
        for number in 0..<3 where number != first {
            loop.remove(crowd.registrations[number], crowd.pairs[number].near)
        }
        for _ in 0..<3 { loop.turn(waitingAtMost: .zero) }
        #expect(crowd.takeCalls().isEmpty)
    }

    /// Both would take everything.
    @Test func `endless events leave a share for waiting handlers and for timers`() throws {
        let loop = try EventLoop()
        let crowd = Crowd(loop)
        for _ in 0..<2 { try crowd.add { _ in loop.budget.spend(WorkBudget.turn) } }
        try crowd.add { number in
            loop.budget.spend(WorkBudget.turn)
            loop.again(crowd.registrations[number])
        }
        let recorder = Recorder()
        var timer: EventLoop.TimerID?
        loop.again(crowd.registrations[2])
        for _ in 0..<6 {
            for number in 0..<2 { put(crowd.pairs[number].far, "x") }
            loop.setTimer(&timer, at: .now(), recorder)
            loop.turn(waitingAtMost: .zero)
        }
        #expect(crowd.takeCalls().count { $0 == 2 } == 6)
        #expect(recorder.fired.count >= 5)
    }

    @Test func `a handler without a descriptor is called when it asks`() throws {
        let loop = try EventLoop()
        let recorder = Recorder()
        let registration = loop.add(recorder)
        loop.turn(waitingAtMost: .zero)
        #expect(recorder.heard.isEmpty)
        loop.again(registration)
        // The turn does not wait for events.
        loop.turn()
        #expect(recorder.heard == [.none])
        loop.again(registration)
        loop.forget(registration)
        loop.turn()
        #expect(recorder.heard.count == 1)
        // Its slot is free for a handler with a descriptor.
        let pair = SocketPair()
        defer { pair.close() }
        let other = Recorder()
        #expect(try loop.add(pair.near, other) != registration)
        loop.turn(waitingAtMost: .zero)
        #expect(other.heard == [.writable])
    }

    @Test func `long steps end with the budget of their turn`() throws {
        let loop = try EventLoop()
        let crowd = Crowd(loop)
        for _ in 0..<64 { try crowd.add { _ in } }
        for number in 0..<3 { loop.againForLongStep(crowd.registrations[number], isNext: false) }
        for number in 3..<64 { put(crowd.pairs[number].far, "x") }
        // So many events would allow two steps, if they had not used up the budget.
        let spender = Recorder()
        spender.onReady = { _ in loop.budget.spend(WorkBudget.turn) }
        let registration = loop.add(spender)
        loop.again(registration)
        loop.turn(waitingAtMost: .zero)
        #expect(crowd.takeCalls().filter { $0 < 3 } == [0])
    }
}
