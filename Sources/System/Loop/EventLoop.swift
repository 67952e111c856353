internal import CLinux
internal import DequeModule
internal import Glibc

/// The event loop of one thread, over epoll: descriptors, timers, and work that waits for its turn.
///
/// Confined to the thread that calls `run`. Other threads use a `Mailbox`.
public final class EventLoop {
    /// A handler's place in the loop: slot and generation, never the bare descriptor. An event that was fetched before a
    /// descriptor was closed must not reach the next handler with the same number.
    public struct Registration: Hashable, Sendable {
        fileprivate let slot: UInt32
        fileprivate let generation: UInt32

        fileprivate var data: UInt64 { UInt64(self.generation) << 32 | UInt64(self.slot) }
    }

    /// Identifies a timer. `nil` where none is set.
    public typealias TimerID = TimerQueue<any TimerHandler>.ID

    private struct Slot {
        var handler: (any ReadinessHandler)?
        var generation: UInt32
        /// Its long step is waiting.
        var isInLine = false
    }

    private struct LongStep {
        let registration: Registration
        let since: MonotonicInstant
    }

    /// The time at which this turn began: exact enough for deadlines, and free.
    public private(set) var now = MonotonicInstant.now()

    /// How many turns there were so far.
    public private(set) var turns: UInt64 = 0

    /// The work that may still be done in this turn. A handler spends it, and asks to go on later (`again`) when its share is used
    /// up.
    public var budget = WorkBudget()

    /// How long the turns took.
    public private(set) var turnTimes = TurnTimes()

    /// The small sends of this turn, which are made together at its end.
    public let sends = SendBatch()

    private let epoll: Int32
    private var slots: [Slot] = []
    private var freeSlots: [UInt32] = []
    private var timers = TimerQueue<any TimerHandler>()
    /// Handlers that had more to do than their share, in the order in which they go on.
    private var unfinished: Deque<Registration> = []
    /// Long steps in the order in which they are made. Those of removed handlers stay until they are passed over.
    private var longSteps: Deque<LongStep> = []
    /// How many long steps are waiting.
    public private(set) var longStepsWaiting = 0
    private var isRunning = false
    private var events: [gateway_event]
    /// The events in `events` that were fetched and not handled yet.
    private var pending = 0..<0

    /// So many handled events allow one long step, and one is always allowed. It takes about as long as they do, so neither side
    /// makes the other wait more than twice as long.
    private static let eventsPerLongStep = 32
    /// In units of work. A signature with a 2,048-bit RSA key takes more, one on P-256 less.
    public static let workOfLongStep = 300_000
    /// In units of work: to read a few bytes, or to notice an end.
    private static let workOfShortStep = 5_000
    /// In units of work. Most timers only look at what is due.
    private static let workOfTimer = 500
    /// A long step that turns out to be short does not count as one, but so many of them end the turn.
    private static let mostShortSteps = 64
    /// Places of removed handlers in the line are kept up to this number, or up to twice the number of the others.
    private static let mostEmptyPlaces = 64

    /// - Parameter batch: the most events that are fetched at once.
    public init(batch: Int = 256) throws(SystemError) {
        self.events = [gateway_event](repeating: gateway_event(events: 0, data: 0), count: batch)
        self.epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard self.epoll >= 0 else { throw .last("epoll_create1") }
    }

    deinit {
        close(self.epoll)
    }

    // MARK: - Descriptors

    /// Watches `descriptor` for everything, edge-triggered. The handler is retained until `remove` or `forget`.
    public func add(_ descriptor: Int32, _ handler: any ReadinessHandler) throws(SystemError) -> Registration {
        let events = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
        return try self.add(descriptor, handler, events: events)
    }

    /// Watches `descriptor` for reading, level-triggered: for listeners, mailboxes and signals, which are read rarely.
    ///
    /// - Parameter exclusively: wake only one of the loops that watch the same socket.
    public func addReading(
        _ descriptor: Int32, exclusively: Bool = false, _ handler: any ReadinessHandler
    ) throws(SystemError) -> Registration {
        let exclusive: UInt32 = exclusively ? 1 << 28 : 0  // EPOLLEXCLUSIVE
        return try self.add(descriptor, handler, events: EPOLLIN.rawValue | exclusive)
    }

    /// Adds a handler without a descriptor, which is called when it asks for it (`again`). It is retained until `forget`.
    public func add(_ handler: any ReadinessHandler) -> Registration {
        let registration = self.takeRegistration()
        self.slots[Int(registration.slot)].handler = handler
        return registration
    }

    private func add(
        _ descriptor: Int32, _ handler: any ReadinessHandler, events: UInt32
    ) throws(SystemError) -> Registration {
        let registration = self.takeRegistration()
        guard gateway_epoll_control(self.epoll, EPOLL_CTL_ADD, descriptor, events, registration.data) == 0 else {
            let error = SystemError.last("epoll_ctl")
            self.freeSlots.append(registration.slot)
            throw error
        }
        self.slots[Int(registration.slot)].handler = handler
        return registration
    }

    private func takeRegistration() -> Registration {
        if let slot = self.freeSlots.popLast() {
            return Registration(slot: slot, generation: self.slots[Int(slot)].generation)
        }
        self.slots.append(Slot(handler: nil, generation: 0))
        return Registration(slot: UInt32(self.slots.count - 1), generation: 0)
    }

    /// Stops watching a descriptor that stays open.
    public func remove(_ registration: Registration, _ descriptor: Int32) {
        guard self.isLive(registration) else { return }
        _ = gateway_epoll_control(self.epoll, EPOLL_CTL_DEL, descriptor, 0, 0)
        self.forget(registration)
    }

    /// Stops watching a descriptor that is closed right after. The kernel then does the same, unless there is a duplicate: its
    /// events have an old generation, and are dropped.
    public func forget(_ registration: Registration) {
        guard self.isLive(registration) else { return }
        self.slots[Int(registration.slot)].handler = nil
        self.slots[Int(registration.slot)].generation &+= 1
        self.freeSlots.append(registration.slot)
        if self.slots[Int(registration.slot)].isInLine { self.leaveLine(registration) }
    }

    /// From now on, everything that is meant for the registration goes to `handler`: also what was asked for earlier.
    public func hand(_ registration: Registration, to handler: any ReadinessHandler) {
        if self.isLive(registration) { self.slots[Int(registration.slot)].handler = handler }
    }

    /// Calls the handler again, after those with new events and those that asked earlier. For a handler with more to do than its
    /// share. It gets no new readiness, so it must remember what it did not finish.
    public func again(_ registration: Registration) {
        self.unfinished.append(registration)
    }

    /// Calls the handler's long step after all short work of a turn, and after the sends. For work that takes as long as many
    /// messages, such as a signature. It has no effect if the handler is waiting already.
    ///
    /// - Parameter isNext: goes before all that are waiting, for work that holds memory until it is done. A handler that always
    ///   passes true starves the others.
    public func againForLongStep(_ registration: Registration, isNext: Bool) {
        guard self.isLive(registration), !self.slots[Int(registration.slot)].isInLine else { return }
        self.slots[Int(registration.slot)].isInLine = true
        self.longStepsWaiting += 1
        let step = LongStep(registration: registration, since: self.now)
        if isNext { self.longSteps.prepend(step) } else { self.longSteps.append(step) }
    }

    /// Removes a handler from the line. Its place is removed later, before such places make the line long.
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

    /// Sets or moves a timer. It fires once, never before `deadline`, and later by up to a millisecond and the length of a turn.
    public func setTimer(_ id: inout TimerID?, at deadline: MonotonicInstant, _ handler: any TimerHandler) {
        if let present = id, self.timers.move(present, to: deadline) { return }
        id = self.timers.insert(handler, at: deadline)
    }

    /// Removes a timer, if it is set.
    public func cancelTimer(_ id: inout TimerID?) {
        if let present = id { self.timers.remove(present) }
        id = nil
    }

    // MARK: - Running

    /// Runs until `stop`.
    public func run() {
        self.isRunning = true
        while self.isRunning { self.turn() }
    }

    /// Ends `run` after this turn.
    public func stop() { self.isRunning = false }

    /// Waits for events or the next timer, and then works as long as the turn's budget allows. Handlers with new events come first,
    /// then those that did not finish. At least one of each kind gets its share, so that neither starves the other.
    ///
    /// - Parameter limit: the longest wait; `nil` for no limit.
    public func turn(waitingAtMost limit: Duration? = nil) {
        // Events that did not fit into the last turn come first.
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
            // Every wait gets here, so it reads no clock and uses no `Duration`, which is expensive.
            timeout = Self.milliseconds(next.nanoseconds - self.now.nanoseconds)
        }
        if let limit {
            let most = Self.milliseconds(limit.clampedNanoseconds)
            timeout = timeout < 0 ? most : min(timeout, most)
        }
        // The kernel writes at most `capacity` events to the array, which is not used otherwise meanwhile.
        let capacity = Int32(self.events.count)
        return Int(unsafe gateway_epoll_wait(self.epoll, &self.events, capacity, timeout))
    }

    /// Rounded up, so that a timer never fires early.
    private static func milliseconds(_ nanoseconds: Int64) -> Int32 {
        guard nanoseconds > 0 else { return 0 }
        return Int32(min((nanoseconds - 1) / 1_000_000 + 1, Int64(Int32.max)))
    }

    /// Returns how many events were handled.
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

    /// All timers have one share together: there are many, and each has little to do.
    private func fireTimers() {
        self.budget.beginShare(WorkBudget.longShare)
        while !self.budget.isShareSpent, let handler = self.timers.popExpired(self.now) {
            self.budget.spend(Self.workOfTimer)
            handler.timerFired()
        }
    }

    private func finishUnfinished() {
        // Only those that are here now: a handler that asks again comes after them, in the next turn.
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
            // Not `self.now`: the steps before this one took time.
            let wasLong = self.slots[slot].handler?.makeLongStep(afterWaiting: .now() - step.since) ?? false
            if wasLong { left -= 1 } else { short += 1 }
            self.budget.spend(wasLong ? Self.workOfLongStep : Self.workOfShortStep)
            if self.budget.isSpent { return }
        }
    }
}
