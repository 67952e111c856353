internal import CLinux
internal import DequeModule
internal import Glibc

/// One thread's epoll: descriptors, timers, and work put off to the end of a batch.
///
/// Confined to the thread that calls `run`. What other threads have to say comes through a `Mailbox`.
package final class EventLoop {
    /// A descriptor's place in the loop. Slot and generation, never the bare descriptor: an event that was fetched before a
    /// descriptor was closed must not reach whoever got the same number next.
    package struct Registration: Hashable, Sendable {
        fileprivate let slot: UInt32
        fileprivate let generation: UInt32

        fileprivate var data: UInt64 { UInt64(self.generation) << 32 | UInt64(self.slot) }
    }

    package typealias TimerID = TimerQueue<any TimerHandler>.ID

    private struct Slot {
        var handler: (any ReadinessHandler)?
        var generation: UInt32
        /// A long step of it waits.
        var isInLine = false
    }

    private struct LongStep {
        let registration: Registration
        let since: MonotonicInstant
    }

    /// The time at which this batch of events was fetched: exact enough for deadlines, and free.
    package private(set) var now = MonotonicInstant.now()

    /// How many turns there were so far.
    package private(set) var turns: UInt64 = 0

    /// What is left to do in this turn. Whoever is called spends it, and comes again where its share is used up.
    package var budget = WorkBudget()

    /// How long the turns took.
    package private(set) var turnTimes = TurnTimes()

    /// Small sends of this batch of events, which go out together at its end.
    package let sends = SendBatch()

    private let epoll: Int32
    private var slots: [Slot] = []
    private var freeSlots: [UInt32] = []
    private var timers = TimerQueue<any TimerHandler>()
    /// Handlers that had more to do than their share, in the order in which they go on.
    private var unfinished: Deque<Registration> = []
    /// Handlers whose next step is a long one, in the order in which it will be made. Those that are gone leave their place behind.
    private var longSteps: Deque<LongStep> = []
    /// How many long steps wait to be made.
    package private(set) var longStepsWaiting = 0
    private var isRunning = false
    private var events: [gateway_event]
    /// Where in `events` those are that were fetched and not handled yet.
    private var pending = 0..<0

    /// One long step is made for so many events that were handled before it, and one in any case: it takes about as long as they
    /// did, so that neither side keeps the other waiting for more than the same again.
    private static let eventsPerLongStep = 32
    /// In units of work: a signature with an RSA key of 2,048 bits takes more, one on P-256 less.
    package static let workOfLongStep = 300_000
    /// In units of work: a few bytes read, or an end noticed.
    private static let workOfShortStep = 5_000
    /// In units of work: a look at what is due. Most do no more.
    private static let workOfTimer = 500
    /// Long steps that turn out to be short cost no turn, but so many end it: a short step is not nothing.
    private static let mostShortSteps = 64
    /// Places in line that nobody has any more are kept up to this many, and as many as there are others.
    private static let mostEmptyPlaces = 64

    /// - Parameter batch: the most events that are fetched at once.
    package init(batch: Int = 256) throws(SystemError) {
        self.events = [gateway_event](repeating: gateway_event(events: 0, data: 0), count: batch)
        self.epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard self.epoll >= 0 else { throw .last("epoll_create1") }
    }

    deinit {
        close(self.epoll)
    }

    // MARK: - Descriptors

    /// Watches `descriptor`, edge-triggered, for everything. The handler is kept until `remove`.
    package func add(_ descriptor: Int32, _ handler: any ReadinessHandler) throws(SystemError) -> Registration {
        let events = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
        return try self.add(descriptor, handler, events: events)
    }

    /// Watches `descriptor`, level-triggered, for reading only: for what is read rarely (listeners, mailboxes, signals).
    ///
    /// - Parameter exclusively: wake one of the loops that watch the same socket rather than all of them.
    package func addReading(
        _ descriptor: Int32, exclusively: Bool = false, _ handler: any ReadinessHandler
    ) throws(SystemError) -> Registration {
        let exclusive: UInt32 = exclusively ? 1 << 28 : 0  // EPOLLEXCLUSIVE
        return try self.add(descriptor, handler, events: EPOLLIN.rawValue | exclusive)
    }

    /// Takes in somebody who has no descriptor, and is called when it asks for it (`again`). It is kept until `forget`.
    package func add(_ handler: any ReadinessHandler) -> Registration {
        let registration = self.freeRegistration()
        self.slots[Int(registration.slot)].handler = handler
        return registration
    }

    private func add(
        _ descriptor: Int32, _ handler: any ReadinessHandler, events: UInt32
    ) throws(SystemError) -> Registration {
        let registration = self.freeRegistration()
        guard gateway_epoll_control(self.epoll, EPOLL_CTL_ADD, descriptor, events, registration.data) == 0 else {
            let error = SystemError.last("epoll_ctl")
            self.freeSlots.append(registration.slot)
            throw error
        }
        self.slots[Int(registration.slot)].handler = handler
        return registration
    }

    private func freeRegistration() -> Registration {
        if let slot = self.freeSlots.popLast() {
            return Registration(slot: slot, generation: self.slots[Int(slot)].generation)
        }
        self.slots.append(Slot(handler: nil, generation: 0))
        return Registration(slot: UInt32(self.slots.count - 1), generation: 0)
    }

    /// Forgets a descriptor that stays open.
    package func remove(_ registration: Registration, _ descriptor: Int32) {
        guard self.isLive(registration) else { return }
        _ = gateway_epoll_control(self.epoll, EPOLL_CTL_DEL, descriptor, 0, 0)
        self.forget(registration)
    }

    /// Forgets a descriptor that is closed right after: the kernel does so too, as nobody has a copy of it. Should anybody, what
    /// epoll then still tells of it has an old generation.
    package func forget(_ registration: Registration) {
        guard self.isLive(registration) else { return }
        self.slots[Int(registration.slot)].handler = nil
        self.slots[Int(registration.slot)].generation &+= 1
        self.freeSlots.append(registration.slot)
        if self.slots[Int(registration.slot)].isInLine { self.leaveLine(registration) }
    }

    /// Calls the handler again after everyone who has news, and after those who asked before it: for whoever has more to do than its
    /// share. It is told of no new readiness: it has to remember what it did not finish.
    package func again(_ registration: Registration) {
        self.unfinished.append(registration)
    }

    /// Has the handler make its long step when everyone with something short to do had a turn, and what they sent is on its way: for
    /// what takes as long as many messages, such as a signature. Nothing changes for one that is in line already.
    ///
    /// - Parameter isNext: before all that wait already, for what holds memory until it is done. Whoever may say so without end
    ///   keeps the others waiting as long.
    package func againForLongStep(_ registration: Registration, isNext: Bool) {
        guard self.isLive(registration), !self.slots[Int(registration.slot)].isInLine else { return }
        self.slots[Int(registration.slot)].isInLine = true
        self.longStepsWaiting += 1
        let step = LongStep(registration: registration, since: self.now)
        if isNext { self.longSteps.prepend(step) } else { self.longSteps.append(step) }
    }

    /// Whoever is gone waits no longer: whole crowds that come and go in an instant must not make the line long.
    private func leaveLine(_ registration: Registration) {
        self.slots[Int(registration.slot)].isInLine = false
        self.longStepsWaiting -= 1
        guard self.longSteps.count > 2 * self.longStepsWaiting + Self.mostEmptyPlaces else { return }
        self.longSteps.removeAll { !self.isLive($0.registration) }
    }

    private func isLive(_ registration: Registration) -> Bool {
        let slot = Int(registration.slot)
        return slot < self.slots.count && self.slots[slot].generation == registration.generation
            && self.slots[slot].handler != nil
    }

    // MARK: - Timers

    /// Sets or moves a timer. It fires once, at `deadline` or later by up to a millisecond and what the batch before it took.
    package func setTimer(_ id: inout TimerID?, at deadline: MonotonicInstant, _ handler: any TimerHandler) {
        if let present = id, self.timers.move(present, to: deadline) { return }
        id = self.timers.insert(handler, at: deadline)
    }

    package func cancelTimer(_ id: inout TimerID?) {
        if let present = id { self.timers.remove(present) }
        id = nil
    }

    // MARK: - Running

    /// Runs until `stop`.
    package func run() {
        self.isRunning = true
        while self.isRunning { self.turn() }
    }

    /// Ends `run` after this batch.
    package func stop() { self.isRunning = false }

    /// Waits for events or the next timer, and does what a turn's budget allows: first for those who have news, then for those who did
    /// not finish before. Of each kind one gets its share in any case, so that neither keeps the other waiting for ever.
    ///
    /// - Parameter limit: the longest wait; `nil` is until something happens.
    package func turn(waitingAtMost limit: Duration? = nil) {
        // What was fetched and did not fit into the last turn comes before anything else.
        if self.pending.isEmpty { self.pending = 0..<max(self.wait(limit), 0) }
        self.now = .now()
        self.turns &+= 1
        self.budget.beginTurn()
        self.sends.begin(events: self.pending.count)
        let handled = self.handleEvents()
        if let next = self.timers.next, next <= self.now { self.fireTimers() }
        if !self.unfinished.isEmpty { self.finishUnfinished() }
        self.sends.end()
        if self.longStepsWaiting > 0 { self.makeLongSteps(1 + handled / Self.eventsPerLongStep) }
        self.turnTimes.observe(MonotonicInstant.now().nanoseconds - self.now.nanoseconds)
    }

    private func wait(_ limit: Duration?) -> Int {
        var timeout: Int32 = -1
        if !self.unfinished.isEmpty || self.longStepsWaiting > 0 {
            timeout = 0
        } else if let next = self.timers.next {
            // Every wait comes here: no clock is read, and a `Duration` is an expensive number.
            timeout = Self.milliseconds(next.nanoseconds - self.now.nanoseconds)
        }
        if let limit {
            let most = Self.milliseconds(limit.clampedNanoseconds)
            timeout = timeout < 0 ? most : min(timeout, most)
        }
        // The kernel writes at most `count` events into the array, which nobody else touches meanwhile.
        let capacity = Int32(self.events.count)
        return Int(unsafe gateway_epoll_wait(self.epoll, &self.events, capacity, timeout))
    }

    /// Rounded up, so that a timer is never early.
    private static func milliseconds(_ nanoseconds: Int64) -> Int32 {
        guard nanoseconds > 0 else { return 0 }
        return Int32(min((nanoseconds - 1) / 1_000_000 + 1, Int64(Int32.max)))
    }

    /// Returns how many were handled.
    private func handleEvents() -> Int {
        let first = self.pending.lowerBound
        let end = self.pending.upperBound
        var next = first
        while next < end, !self.budget.isSpent {
            let event = self.events[next]
            next += 1
            self.dispatch(event.data, Readiness(events: event.events), share: WorkBudget.shortShare)
        }
        self.pending = next..<end
        return next - first
    }

    private func dispatch(_ data: UInt64, _ readiness: Readiness, share: Int) {
        self.budget.beginShare(share)
        let slot = Int(data & 0xFFFF_FFFF)
        guard self.slots[slot].generation == UInt32(data >> 32), let handler = self.slots[slot].handler else { return }
        handler.ready(readiness)
    }

    /// All together have one share: there are many, and each has little to do.
    private func fireTimers() {
        self.budget.beginShare(WorkBudget.longShare)
        while !self.budget.isShareSpent, let handler = self.timers.popExpired(self.now) {
            self.budget.spend(Self.workOfTimer)
            handler.timerFired()
        }
    }

    private func finishUnfinished() {
        // Who asks again meanwhile is behind these.
        for _ in 0..<self.unfinished.count {
            self.dispatch(self.unfinished.removeFirst().data, .none, share: WorkBudget.longShare)
            if self.budget.isSpent { return }
        }
    }

    private func makeLongSteps(_ most: Int) {
        var left = min(most, self.longStepsWaiting)
        var short = 0
        while left > 0, short < Self.mostShortSteps, let step = self.longSteps.popFirst() {
            guard self.isLive(step.registration) else { continue }
            let slot = Int(step.registration.slot)
            self.slots[slot].isInLine = false
            self.longStepsWaiting -= 1
            self.budget.beginShare(WorkBudget.longShare)
            // The steps before it took their time: the beginning of the turn is not now.
            let wasLong = self.slots[slot].handler?.makeLongStep(afterWaiting: .now() - step.since) ?? false
            if wasLong { left -= 1 } else { short += 1 }
            self.budget.spend(wasLong ? Self.workOfLongStep : Self.workOfShortStep)
            if self.budget.isSpent { return }
        }
    }
}
