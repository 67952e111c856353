import Glibc
import Synchronization
import Testing

@testable import System

@Suite struct EventLoopTests {
    private func turns(_ loop: EventLoop, until condition: () -> Bool) {
        let deadline = MonotonicInstant.now() + .seconds(20)
        while !condition(), MonotonicInstant.now() < deadline { loop.turn(waitingAtMost: .seconds(1)) }
        #expect(condition())
    }

    @Test func `readiness is reported once per edge`() throws {
        let loop = try EventLoop()
        let pair = SocketPair()
        defer { pair.close() }
        let recorder = Recorder()
        _ = try loop.add(pair.near, recorder)
        loop.turn(waitingAtMost: .zero)
        #expect(recorder.heard == [.writable])
        loop.turn(waitingAtMost: .zero)
        #expect(recorder.heard.count == 1)

        put(pair.far, "ab")
        loop.turn(waitingAtMost: .seconds(20))
        #expect(recorder.heard.last?.isReadable == true)
        // Nothing was read, but there is no new edge.
        loop.turn(waitingAtMost: .zero)
        #expect(recorder.heard.count == 2)
        put(pair.far, "c")
        loop.turn(waitingAtMost: .seconds(20))
        #expect(recorder.heard.count == 3)
    }

    @Test func `level-triggered readiness is reported until all is read`() throws {
        let loop = try EventLoop()
        let pair = SocketPair()
        defer { pair.close() }
        let recorder = Recorder()
        let registration = try loop.addReading(pair.near, exclusively: true, recorder)
        loop.turn(waitingAtMost: .zero)
        #expect(recorder.heard.isEmpty)
        put(pair.far, "ab")
        for _ in 0..<3 { loop.turn(waitingAtMost: .seconds(20)) }
        #expect(recorder.heard == [.readable, .readable, .readable])
        loop.remove(registration, pair.near)
        loop.turn(waitingAtMost: .zero)
        #expect(recorder.heard.count == 3)
    }

    @Test func `no event arrives for a forgotten descriptor even if a copy is open`() throws {
        let loop = try EventLoop()
        let old = SocketPair()
        let new = SocketPair()
        defer { new.close() }
        let recorders = [Recorder(), Recorder()]
        let registration = try loop.add(old.near, recorders[0])
        loop.turn(waitingAtMost: .zero)
        #expect(recorders[0].heard == [.writable])
        // The kernel watches on as long as there is a duplicate.
        let copy = dup(old.near)
        loop.forget(registration)
        Kernel.close(old.near)
        _ = try loop.add(new.near, recorders[1])
        put(old.far, "a")
        loop.turn(waitingAtMost: .zero)
        #expect(recorders[0].heard.count == 1)
        #expect(recorders[1].heard == [.writable])
        Kernel.close(copy)
        Kernel.close(old.far)
    }

    @Test func `the peer's end and a failure are reported`() throws {
        try SyscallFaults.exclusively {
            let loop = try EventLoop()
            let orderly = try SocketPair(tcp: ())
            let abrupt = try SocketPair(tcp: ())
            let recorders = [Recorder(), Recorder()]
            _ = try loop.add(orderly.near, recorders[0])
            _ = try loop.add(abrupt.near, recorders[1])
            Kernel.endWriting(orderly.far)
            Kernel.reset(abrupt.far)
            self.turns(loop) { recorders.allSatisfy { $0.heard.contains { $0.isEnded } } }
            #expect(!recorders[0].heard.contains { $0.isFailed })
            #expect(recorders[1].heard.contains { $0.isFailed })
            orderly.close()
            Kernel.close(abrupt.near)
        }
    }

    /// Both are ready in one batch. The first one called removes the other, and adds a third in its slot.
    @Test func `an event of a removed registration does not reach the next one in its slot`() throws {
        let loop = try EventLoop()
        let pairs = [SocketPair(), SocketPair(), SocketPair()]
        defer { for pair in pairs { pair.close() } }
        let recorders = [Recorder(), Recorder()]
        let successor = Recorder()
        var registrations: [EventLoop.Registration] = []
        for index in 0..<2 { registrations.append(try loop.addReading(pairs[index].near, recorders[index])) }
        for index in 0..<2 {
            recorders[index].onReady = { _ in
                let other = 1 - index
                loop.remove(registrations[other], pairs[other].near)
                let reused = try? loop.addReading(pairs[2].near, successor)
                #expect(reused != nil && reused != registrations[other])
                for recorder in recorders { recorder.onReady = { _ in } }
            }
            put(pairs[index].far, "x")
        }
        loop.turn(waitingAtMost: .seconds(20))
        #expect(recorders.map(\.heard.count).sorted() == [0, 1])
        #expect(successor.heard.isEmpty)
        // The successor gets its own events.
        put(pairs[2].far, "x")
        loop.turn(waitingAtMost: .seconds(20))
        #expect(successor.heard == [.readable])
    }

    @Test func `removing twice is harmless`() throws {
        let loop = try EventLoop()
        let pairs = [SocketPair(), SocketPair()]
        defer { for pair in pairs { pair.close() } }
        let recorder = Recorder()
        let first = try loop.add(pairs[0].near, Recorder())
        loop.remove(first, pairs[0].near)
        _ = try loop.add(pairs[1].near, recorder)
        loop.remove(first, pairs[1].near)
        loop.again(first)
        loop.turn(waitingAtMost: .zero)
        #expect(recorder.heard == [.writable])
    }

    @Test func `a descriptor that cannot be watched leaves its slot free`() throws {
        let loop = try EventLoop()
        let pair = SocketPair()
        defer { pair.close() }
        #expect(throws: SystemError("epoll_ctl", EBADF)) { try loop.add(-1, Recorder()) }
        let recorder = Recorder()
        _ = try loop.add(pair.near, recorder)
        loop.turn(waitingAtMost: .zero)
        #expect(recorder.heard == [.writable])
    }

    @Test func `a handler that asked to go on comes in the next turn after all others`() throws {
        let loop = try EventLoop()
        let pairs = [SocketPair(), SocketPair()]
        defer { for pair in pairs { pair.close() } }
        var order: [String] = []
        let greedy = Recorder()
        let other = Recorder()
        let registration = try loop.addReading(pairs[0].near, greedy)
        _ = try loop.addReading(pairs[1].near, other)
        greedy.onReady = { _ in order.append("greedy") }
        other.onReady = { _ in order.append("other") }
        loop.again(registration)
        put(pairs[1].far, "x")
        loop.turn()
        #expect(order == ["other", "greedy"])
        #expect(greedy.heard == [.none])

        // A handler that asks while it is called comes again in the next turn, which does not wait.
        greedy.forget()
        greedy.onReady = { _ in
            if greedy.heard.count == 1 { loop.again(registration) }
        }
        loop.again(registration)
        loop.again(registration)
        loop.turn()
        loop.turn()
        #expect(greedy.heard.count == 3)
    }

    @Test func `a long step comes after all other handlers and what they sent`() throws {
        let loop = try EventLoop()
        let pairs = [SocketPair(), SocketPair()]
        defer { for pair in pairs { pair.close() } }
        var order: [String] = []
        let handshake = Recorder()
        let other = Recorder()
        let registration = try loop.addReading(pairs[0].near, handshake)
        let again = try loop.addReading(pairs[1].near, other)
        handshake.onLongStep = { _ in order.append("long") }
        other.onReady = { _ in order.append("short") }
        loop.againForLongStep(registration, isNext: false)
        loop.againForLongStep(registration, isNext: true)
        #expect(loop.longStepsWaiting == 1)
        loop.again(again)
        put(pairs[1].far, "x")
        // A turn with a step to make does not wait for events.
        loop.turn()
        #expect(order == ["short", "short", "long"])
        #expect(handshake.heard.isEmpty)
        #expect(loop.longStepsWaiting == 0)
    }

    /// Handlers that wait in this order, and record their number when it is their turn.
    private func line(
        _ loop: EventLoop, _ pairs: [SocketPair], step: @escaping (Int) -> Void
    ) throws -> [EventLoop.Registration] {
        try pairs.indices.map { number in
            let recorder = Recorder()
            recorder.onLongStep = { _ in step(number) }
            let registration = try loop.addReading(pairs[number].near, recorder)
            loop.againForLongStep(registration, isNext: false)
            return registration
        }
    }

    @Test func `long steps take turns and have a share of the events`() throws {
        let loop = try EventLoop()
        let pairs = (0..<64).map { _ in SocketPair() }
        defer { for pair in pairs { pair.close() } }
        var order: [Int] = []
        _ = try self.line(loop, pairs) { order.append($0) }
        loop.turn()
        #expect(order == [0])
        #expect(loop.longStepsWaiting == 63)
        // 64 events allow two more steps.
        for pair in pairs { put(pair.far, "x") }
        loop.turn()
        #expect(order == [0, 1, 2, 3])
    }

    @Test func `a removed handler leaves the line and costs no other its turn`() throws {
        let loop = try EventLoop()
        let pairs = (0..<200).map { _ in SocketPair() }
        defer { for pair in pairs { pair.close() } }
        var order: [Int] = []
        let registrations = try self.line(loop, pairs) { order.append($0) }
        for number in 0..<198 where number != 100 { loop.remove(registrations[number], pairs[number].near) }
        #expect(loop.longStepsWaiting == 3)
        loop.turn()
        #expect(order == [100])
        loop.turn()
        loop.remove(registrations[199], pairs[199].near)
        #expect(loop.longStepsWaiting == 0)
        // The next handler gets the slot of a removed one, and is not taken for it.
        let recorder = Recorder()
        recorder.onLongStep = { _ in order.append(-1) }
        let last = try loop.addReading(pairs[0].near, recorder)
        loop.turn(waitingAtMost: .zero)
        #expect(order == [100, 198])
        loop.againForLongStep(last, isNext: false)
        loop.turn()
        #expect(order == [100, 198, -1])
    }

    @Test func `a step that turns out to be short costs no other its turn`() throws {
        let loop = try EventLoop()
        let pairs = (0..<200).map { _ in SocketPair() }
        defer { for pair in pairs { pair.close() } }
        var order: [Int] = []
        let registrations = try pairs.indices.map { number in
            let recorder = Recorder()
            recorder.onLongStep = { _ in order.append(number) }
            recorder.isLong = number % 10 == 9
            return try loop.addReading(pairs[number].near, recorder)
        }
        for registration in registrations[..<20] { loop.againForLongStep(registration, isNext: false) }
        loop.turn()
        #expect(order == Array(0..<10))
        loop.turn()
        #expect(order == Array(0..<20))
        // But they do not make a turn endless.
        order = []
        for (number, registration) in registrations.enumerated() where number % 10 != 9 {
            loop.againForLongStep(registration, isNext: false)
        }
        loop.turn()
        #expect(order.count == 64)
        loop.turn()
        loop.turn()
        #expect(order.count == 180)
    }

    @Test func `a long step learns how long it waited`() throws {
        let loop = try EventLoop()
        let pair = SocketPair()
        defer { pair.close() }
        let recorder = Recorder()
        var waited: [Duration] = []
        recorder.onLongStep = { waited.append($0) }
        let registration = try loop.addReading(pair.near, recorder)
        let before = loop.now
        loop.againForLongStep(registration, isNext: false)
        loop.turn()
        #expect(waited.count == 1)
        #expect(waited.allSatisfy { $0 > .zero && $0 <= MonotonicInstant.now() - before })
    }

    @Test func `a long step that is next overtakes those that wait`() throws {
        let loop = try EventLoop()
        let pairs = (0..<3).map { _ in SocketPair() }
        defer { for pair in pairs { pair.close() } }
        var order: [Int] = []
        let registrations = try pairs.indices.map { number in
            let recorder = Recorder()
            recorder.onLongStep = { _ in order.append(number) }
            return try loop.addReading(pairs[number].near, recorder)
        }
        for number in 0..<2 { loop.againForLongStep(registrations[number], isNext: false) }
        loop.againForLongStep(registrations[2], isNext: true)
        for _ in 0..<3 { loop.turn() }
        #expect(order == [2, 0, 1])
    }

    @Test func `timers fire in order and never early`() throws {
        let loop = try EventLoop()
        var order: [Int] = []
        var deadlines: [MonotonicInstant] = []
        var recorders: [Recorder] = []
        var ids: [EventLoop.TimerID?] = []
        let start = MonotonicInstant.now()
        for (number, milliseconds) in [7, 3, 5, 1, 9].enumerated() {
            let recorder = Recorder()
            recorder.onTimer = { order.append(number) }
            deadlines.append(start + .microseconds(milliseconds * 1000 + 300))
            var id: EventLoop.TimerID?
            loop.setTimer(&id, at: deadlines[number], recorder)
            recorders.append(recorder)
            ids.append(id)
        }
        self.turns(loop) { order.count == 5 }
        #expect(order == [3, 1, 2, 0, 4])
        for (recorder, deadline) in zip(recorders, deadlines) {
            #expect(recorder.fired.first.map { $0 >= deadline } == true)
        }
    }

    @Test func `a timer is moved and cancelled`() throws {
        let loop = try EventLoop()
        let moved = Recorder()
        let cancelled = Recorder()
        var movedID: EventLoop.TimerID?
        var cancelledID: EventLoop.TimerID?
        let now = MonotonicInstant.now()
        loop.setTimer(&movedID, at: now + .seconds(3600), moved)
        loop.setTimer(&cancelledID, at: now, cancelled)
        let before = movedID
        loop.setTimer(&movedID, at: now, moved)
        #expect(movedID == before)
        loop.cancelTimer(&cancelledID)
        #expect(cancelledID == nil)
        loop.cancelTimer(&cancelledID)
        loop.turn()
        #expect(moved.fired.count == 1)
        #expect(cancelled.fired.isEmpty)
        // It fires once, and can be set again.
        loop.setTimer(&movedID, at: now, moved)
        #expect(movedID != before)
        loop.turn()
        #expect(moved.fired.count == 2)
    }

    @Test func `turns are counted and run ends with stop`() throws {
        let loop = try EventLoop()
        #expect(loop.turns == 0)
        loop.turn(waitingAtMost: .zero)
        #expect(loop.turns == 1)
        let recorder = Recorder()
        recorder.onTimer = { loop.stop() }
        var id: EventLoop.TimerID?
        loop.setTimer(&id, at: .now(), recorder)
        loop.run()
        #expect(recorder.fired.count == 1)
        #expect(loop.turns >= 2)
        #expect(loop.now <= .now())
    }

    @Test func `events beyond a batch come in the next turns`() throws {
        let loop = try EventLoop(batch: 2)
        let pairs = (0..<7).map { _ in SocketPair() }
        defer { for pair in pairs { pair.close() } }
        let recorders = pairs.map { _ in Recorder() }
        for (pair, recorder) in zip(pairs, recorders) { _ = try loop.add(pair.near, recorder) }
        for _ in 0..<4 { loop.turn(waitingAtMost: .zero) }
        #expect(recorders.allSatisfy { $0.heard == [.writable] })
    }
}
