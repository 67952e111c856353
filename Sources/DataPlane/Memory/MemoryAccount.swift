internal import Connections
internal import Observability
internal import Sessions
internal import System

/// Something that waits until there is room for what it assembles.
protocol MemoryWaiter: AnyObject {
    /// Its message was begun, and goes on below the bound; one that was not is begun when there is room.
    var hasBegun: Bool { get }
    var network: ClientNetwork { get }
    /// The most that the message can become, in bytes.
    var wanted: Int { get }
    var patience: Duration { get }

    func goOn()
}

/// A session that holds memory.
protocol MemoryUser: AnyObject {
    var id: SessionID { get }
    var network: ClientNetwork { get }
    var memory: SessionMemory { get set }
    /// Looks at what it holds, and for how long it has made no progress: what its peers took meanwhile is noted.
    func lookAtMemory() -> MemoryHolder

    /// Ends, and with it what it holds.
    func giveWay()
}

/// One worker's part of what is held: who holds it, and who waits for room. Confined to the worker's thread.
///
/// What changes is added to the bound of all workers in steps, so that a connection that is a little behind costs no more than it did.
final class MemoryAccount: SharedBytesAccount, TimerHandler {
    /// How many bytes may be held without the other workers knowing.
    private static let step = 16 << 10
    /// The most that is read at once while memory is scarce.
    private static let scarceRead = 4 << 10
    /// How often it is looked whether those that wait can go on.
    private static let interval = Duration.milliseconds(20)

    private struct Waiting {
        let waiter: any MemoryWaiter
        let since: MonotonicInstant
    }

    let bound: MemoryBound
    private unowned let loop: EventLoop
    /// Tells the control thread that there is less room than before.
    private let rose: () -> Void
    /// What sessions of this worker hold, in bytes; nothing here is in a mailbox.
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

    /// How much one read takes.
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

    /// The session holds something.
    func add(_ session: any MemoryUser) {
        session.memory.place = Int32(self.holders.count)
        self.holders.append(session)
    }

    /// It holds nothing any more.
    func remove(_ session: any MemoryUser) {
        let place = Int(session.memory.place)
        guard place >= 0, let last = self.holders.popLast() else { return }
        session.memory.place = -1
        guard last !== session else { return }
        self.holders[place] = last
        last.memory.place = Int32(place)
    }

    // MARK: - Who gives way

    var report: MemoryReport {
        var report = MemoryReport()
        report.holders = self.holders.map { $0.lookAtMemory() }
        for waiting in self.waiting where !waiting.waiter.hasBegun {
            report.add(
                waiting: waiting.waiter.wanted, for: self.loop.now - waiting.since, patience: waiting.waiter.patience)
        }
        return report
    }

    /// Closes these sessions, as far as they are here and still hold something.
    func evict(_ victims: Set<SessionID>) {
        for session in self.holders.filter({ victims.contains($0.id) }) { session.giveWay() }
    }

    // MARK: - Who waits

    /// Has the waiter called when it can go on.
    func wait(_ waiter: any MemoryWaiter) {
        self.waiting.append(Waiting(waiter: waiter, since: self.loop.now))
        if !waiter.hasBegun {
            let isFirst = !self.bound.isAwaited
            self.bound.wait(1)
            if isFirst { self.rose() }
        }
        if self.timer == nil { self.setTimer() }
    }

    /// It waits no longer: its session ends.
    ///
    /// - Returns: whether it did.
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

    /// As many as there is room for: each may use it up, and wait again.
    private func letGoOn(_ candidates: [Waiting], while mayGoOn: () -> Bool) {
        for candidate in candidates where mayGoOn() {
            // It may have ended because of what another did.
            if self.stopWaiting(candidate.waiter) { candidate.waiter.goOn() }
        }
    }

    /// Those whose messages were not begun, the addresses taking turns: who has a hundred sessions waits for the one of another.
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
