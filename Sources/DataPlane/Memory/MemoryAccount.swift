internal import Connections
internal import Observability
internal import Sessions
internal import System

/// Waits for room for the message that it assembles.
protocol MemoryWaiter: AnyObject {
    /// The message was begun and continues below the bound. One that was not begun starts when there is room.
    var hasBegun: Bool { get }
    var network: ClientNetwork { get }
    /// The most bytes that the message can have.
    var wanted: Int { get }
    var patience: Duration { get }

    func goOn()
}

/// A session that holds memory, or a client's connection without one.
protocol MemoryUser: AnyObject {
    var id: SessionID { get }
    var network: ClientNetwork { get }
    var memory: SessionMemory { get set }
    var account: MemoryAccount { get }
    /// The memory of its connections' queues alone, in bytes.
    var queuedMemory: Int { get }
    /// What it holds, and for how long it has made no progress. Asking also notes what its peers accepted meanwhile.
    func lookAtMemory() -> MemoryHolder

    /// Ends the session, which frees what it holds.
    func giveWay()
}

extension MemoryUser {
    /// The assembled message or head takes `bytes` now.
    func assembles(_ bytes: Int) {
        guard bytes != self.memory.assembled else { return }
        self.account.change(.assembled, by: bytes - self.memory.assembled)
        self.memory.assembled = bytes
        self.noteHolding()
    }

    /// Joins or leaves those that hold memory.
    func noteHolding() {
        switch (self.queuedMemory + self.memory.assembled == 0, self.memory.place < 0) {
        case (false, true): self.account.add(self)
        case (true, false): self.account.remove(self)
        case (false, false), (true, true): break
        }
    }
}

/// One worker's part of the bounded memory: which sessions hold some, and which wait for room. Confined to the worker's thread.
///
/// Changes are added to the bound of all workers in steps, so that a connection that queues a little now and then costs nothing extra.
final class MemoryAccount: SharedBytesAccount, TimerHandler {
    /// How many bytes may change before the other workers are told.
    private static let step = 16 << 10
    /// The size of one read while memory is scarce.
    private static let scarceRead = 4 << 10
    /// How often to check whether waiting messages can continue.
    private static let interval = Duration.milliseconds(20)

    private struct Waiting {
        let waiter: any MemoryWaiter
        let since: MonotonicInstant
    }

    let bound: MemoryBound
    private unowned let loop: EventLoop
    /// Tells the control thread that the level has risen.
    private let rose: () -> Void
    /// What this worker's sessions hold, in bytes, without mailboxes.
    private(set) var queued = 0
    private(set) var assembled = 0
    private var untold = 0
    private var holders: [any MemoryUser] = []
    private var waiting: [Waiting] = []
    private var timer: EventLoop.TimerID?

    init(_ bound: MemoryBound, _ loop: EventLoop, rose: @escaping () -> Void) {
        self.bound = bound
        self.loop = loop
        self.rose = rose
    }

    // MARK: - What is held

    /// The most bytes that one read takes.
    var readSize: Int { self.bound.isScarce ? Self.scarceRead : ConnectionBuffers.readSize }

    func shared(changedBy bytes: Int) { self.change(.queued, by: bytes) }

    func change(_ kind: MemoryKind, by bytes: Int) {
        switch kind {
        case .queued: self.queued += bytes
        case .assembled: self.assembled += bytes
        case .mailbox: break
        }
        self.untold += bytes
        guard self.untold.magnitude >= Self.step || self.queued + self.assembled == 0 else { return }
        let rose = self.bound.add(self.untold)
        self.untold = 0
        if rose { self.rose() }
    }

    /// The session holds memory now.
    func add(_ session: any MemoryUser) {
        session.memory.place = Int32(self.holders.count)
        self.holders.append(session)
    }

    /// The session holds no memory any more.
    func remove(_ session: any MemoryUser) {
        let place = Int(session.memory.place)
        guard place >= 0, let last = self.holders.popLast() else { return }
        session.memory.place = -1
        guard last !== session else { return }
        self.holders[place] = last
        last.memory.place = Int32(place)
    }

    // MARK: - Eviction

    var report: MemoryReport {
        var report = MemoryReport()
        report.holders = self.holders.map { $0.lookAtMemory() }
        for waiting in self.waiting where !waiting.waiter.hasBegun {
            report.add(
                waiting: waiting.waiter.wanted, for: self.loop.now - waiting.since, patience: waiting.waiter.patience)
        }
        return report
    }

    /// Closes those of these sessions that are here and still hold memory.
    func evict(_ victims: Set<SessionID>) {
        // One may free what another holds: a session that is being opened, and its client's connection.
        for session in self.holders.filter({ victims.contains($0.id) }) where session.memory.place >= 0 {
            session.giveWay()
        }
    }

    // MARK: - Waiting

    /// Calls `goOn` of the waiter when there is room.
    func wait(_ waiter: any MemoryWaiter) {
        self.waiting.append(Waiting(waiter: waiter, since: self.loop.now))
        if !waiter.hasBegun {
            let isFirst = !self.bound.isAwaited
            self.bound.wait(1)
            if isFirst { self.rose() }
        }
        if self.timer == nil { self.setTimer() }
    }

    /// The waiter's session ends.
    ///
    /// - Returns: whether it was waiting.
    @discardableResult
    func stopWaiting(_ waiter: any MemoryWaiter) -> Bool {
        guard let place = self.waiting.firstIndex(where: { $0.waiter === waiter }) else { return false }
        self.waiting.remove(at: place)
        if !waiter.hasBegun { self.bound.wait(-1) }
        return true
    }

    func timerFired() {
        self.timer = nil
        self.letGoOn(self.waiting.filter(\.waiter.hasBegun)) { self.bound.level < .full }
        if self.bound.hasRoom { self.letGoOn(self.inTurn()) { self.bound.hasRoom } }
        if !self.waiting.isEmpty { self.setTimer() }
    }

    /// Lets as many continue as there is room for. Each may use the room up and wait again.
    private func letGoOn(_ candidates: [Waiting], while mayGoOn: () -> Bool) {
        for candidate in candidates where mayGoOn() {
            // An earlier one may have ended this one's session.
            if self.stopWaiting(candidate.waiter) { candidate.waiter.goOn() }
        }
    }

    /// The waiters with messages that were not begun, addresses taking turns: a client with a hundred sessions waits behind one with a
    /// single session.
    private func inTurn() -> [Waiting] {
        var turns: [ClientNetwork: Int] = [:]
        for holder in self.holders where holder.memory.assembled > 0 { turns[holder.network, default: 0] += 1 }
        let ranked = self.waiting.filter { !$0.waiter.hasBegun }.map { waiting in
            turns[waiting.waiter.network, default: 0] += 1
            return (turn: turns[waiting.waiter.network, default: 0], waiting)
        }
        return ranked.sorted { ($0.turn, $0.1.since) < ($1.turn, $1.1.since) }.map(\.1)
    }

    private func setTimer() { self.loop.setTimer(&self.timer, at: self.loop.now + Self.interval, self) }
}
