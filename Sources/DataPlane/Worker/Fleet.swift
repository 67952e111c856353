public import Sessions
public import Synchronization
public import System

/// What workers tell each other, and what the control thread tells them.
public enum WorkerMessage: Sendable {
    /// A connection that another worker accepted and has no room for.
    case adopt(descriptor: Int32, SocketAddress, listener: Int)
    /// Everyone has what this one sent: it may go on.
    case goOn(RoomSender)
    /// Accept no more connections.
    ///
    /// - leaving: what waits at these listeners is for another process.
    case stopAccepting(leaving: Set<Int>)
    /// Close these sessions, each at its time.
    case drain(SessionSelection, DrainOrder)
    /// Close one session of an endpoint that has too many: the one that was quiet last.
    case rebalance(Endpoint)
    /// These sessions give way: memory is scarce.
    case evict(Set<SessionID>)
    /// Do this on the worker's thread: a question, which sends its answer.
    case ask(@Sendable (Worker) -> Void)
    /// End now.
    case stop
}

/// What others tell the control thread.
public enum ControlMessage: Sendable {
    /// A worker that was told to drain everything has no session left.
    case drained(worker: Int)
    /// Sessions could not be opened with an endpoint (`Endpoint.connectFailed`), the last one for this reason.
    case endpointFailed(Endpoint, String)
    /// One could, after such failures (`Endpoint.connectSucceeded`).
    case endpointSucceeded(Endpoint)
    /// An endpoint could be connected to at none of its addresses (`Endpoint.wantsLookUp`).
    case unreachable(Endpoint)
    /// There is less room in memory than before.
    case memoryRose
    case answer(any Sendable, id: Int, worker: Int)
}

/// What the workers know of each other: a mailbox and the number of sessions of each.
public final class Fleet: Sendable {
    public final class Member: Sendable {
        public let mailbox: Mailbox<WorkerMessage>
        /// What is sent to rooms. It can be a lot, and nothing else waits behind it.
        public let rooms: Mailbox<RoomPost>
        public let sessions = Atomic<Int>(0)
        /// Its connections that have not sent a whole request head yet, those on their way to it included.
        public let newcomers = Atomic<Int>(0)
        /// Bytes of what is sent to rooms and was not delivered to all members on this worker, with what it takes to keep them.
        public let backlog = Atomic<Int>(0)

        public init() throws(SystemError) {
            self.mailbox = try Mailbox()
            self.rooms = try Mailbox()
        }
    }

    public let members: [Member]
    public let control: Mailbox<ControlMessage>
    public let memory: MemoryBound
    /// How many descriptors the process may have open.
    public let descriptorLimit: Int

    /// What is left for listeners, logs, look-ups and the like when sessions have taken theirs.
    private static let reservedDescriptors = 64

    public init(
        workers: Int, descriptorLimit: Int, memory: MemoryBound = MemoryBound(limit: .max)
    ) throws(SystemError) {
        self.memory = memory
        var members: [Member] = []
        for _ in 0..<workers { members.append(try Member()) }
        self.members = members
        self.control = try Mailbox()
        self.descriptorLimit = descriptorLimit
    }

    public var sessions: Int { self.members.reduce(0) { $0 + $1.sessions.load(ordering: .relaxed) } }

    /// Whether one more session finds descriptors for both its legs.
    public var hasRoom: Bool { 2 * (self.sessions + 1) + Self.reservedDescriptors <= self.descriptorLimit }

    /// The most connections without a whole request head that a worker may have: together a quarter of the descriptors, so that those who
    /// say nothing leave room for those who do.
    public var newcomerShare: Int { max(1, self.descriptorLimit / 4 / self.members.count) }

    public func hasNewcomerRoom(_ worker: Int) -> Bool {
        self.members[worker].newcomers.load(ordering: .relaxed) < self.newcomerShare
    }

    /// The worker with the fewest newcomers, if it has room for one more.
    public func newcomerRoom() -> Int? {
        let least = self.members.indices.min {
            self.members[$0].newcomers.load(ordering: .relaxed) < self.members[$1].newcomers.load(ordering: .relaxed)
        }
        return least.flatMap { self.hasNewcomerRoom($0) ? $0 : nil }
    }

    /// The most bytes of what is sent to rooms that may wait on a worker before all senders have to.
    private static let mostBacklog = 16 << 20

    /// Passes what is sent to a room on to the other workers, and counts it as a part of every worker's backlog.
    public func broadcast(_ post: RoomPost, from worker: Int) {
        let footprint = post.messages.footprint
        post.sender.sent(footprint * self.members.count)
        if self.memory.add(mailbox: footprint * self.members.count) { self.control.send(.memoryRose) }
        for (index, member) in self.members.enumerated() {
            member.backlog.add(footprint, ordering: .relaxed)
            if index != worker { member.rooms.send(post) }
        }
    }

    /// Everyone on a worker has what was posted.
    public func delivered(_ post: RoomPost, by worker: Int) {
        self.members[worker].backlog.subtract(post.messages.footprint, ordering: .relaxed)
        self.memory.add(mailbox: -post.messages.footprint)
    }

    /// Whether a worker lags behind with what others broadcast.
    public var isBacklogged: Bool { self.members.contains { $0.backlog.load(ordering: .relaxed) > Self.mostBacklog } }

    public func tell(_ message: WorkerMessage) {
        for member in self.members { member.mailbox.send(message) }
    }

    /// Whom a worker should hand a fresh connection to: the least loaded one, if the worker has more than its share
    /// (`SO_REUSEPORT` deals by hash, which can be uneven).
    public func shouldTake(insteadOf worker: Int) -> Int? {
        var own = 0
        var total = 0
        var least = (index: worker, load: Int.max)
        for index in self.members.indices {
            let load = self.members[index].sessions.load(ordering: .relaxed)
            total += load
            if index == worker { own = load }
            if load < least.load { least = (index, load) }
        }
        let mean = Double(total) / Double(self.members.count)
        guard Double(own) > 1.25 * mean + 1 else { return nil }
        return least.index == worker ? nil : least.index
    }
}
