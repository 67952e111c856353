public import Configuration
public import Credentials
public import Sessions
public import Synchronization
public import System

/// What workers and the control thread tell a worker.
public enum WorkerMessage: Sendable {
    /// A connection that another worker accepted and has no room for.
    ///
    /// - isCounted: among those of its address (`AddressCounts`).
    case adopt(descriptor: Int32, SocketAddress, listener: Int, isCounted: Bool)
    /// Everything that this sender sent is delivered: it may continue.
    case goOn(RoomSender)
    /// Accept no more connections.
    ///
    /// - leaving: what waits at these listeners is left to another process.
    case stopAccepting(leaving: Set<Int>)
    /// Close these sessions, each at its time.
    case drain(SessionSelection, DrainOrder)
    /// Close one session of an endpoint that has too many: the one that was active last.
    case rebalance(Endpoint)
    /// End these sessions: memory is scarce.
    case evict(Set<SessionID>)
    /// Verify credentials with this from now on.
    case verify(KeysAndUsers)
    /// Keep these subjects out from now on.
    case revoke(RevokedSubjects)
    /// Run this on the worker's thread. It sends its answer itself.
    case ask(@Sendable (Worker) -> Void)
    /// End now.
    case stop
}

/// What other threads tell the control thread.
public enum ControlMessage: Sendable {
    /// A worker that was told to drain everything has no session left.
    case drained(worker: Int)
    /// Sessions could not be opened with an endpoint (`Endpoint.connectFailed`); the reason is that of the last one.
    case endpointFailed(Endpoint, String)
    /// A session could be opened after such failures (`Endpoint.connectSucceeded`).
    case endpointSucceeded(Endpoint)
    /// None of an endpoint's addresses could be connected to (`Endpoint.wantsLookUp`).
    case unreachable(Endpoint)
    /// A token names a key that is not among those of its URL: they may have changed.
    case unknownKey(KeySource)
    /// The memory level has risen.
    case memoryRose
    /// What a tail has to say.
    case tailed(Tail, [Tail.News])
    case answer(any Sendable, id: Int, worker: Int)
}

/// What the workers know of each other. Counts are atomics, so reading them needs no message.
public final class Fleet: Sendable {
    /// One worker, as the others see it.
    public final class Member: Sendable {
        /// What other threads tell the worker.
        public let mailbox: Mailbox<WorkerMessage>
        /// Posts to rooms. There can be many, so nothing else waits behind them.
        let rooms: Mailbox<RoomNews>
        /// Its clients' connections, with or without a session.
        public let sessions = Atomic<Int>(0)
        /// Its connections without a whole request head, those on their way to it included.
        public let newcomers = Atomic<Int>(0)
        /// The memory of posts that are not delivered to all members on this worker, in bytes.
        public let backlog = Atomic<Int>(0)

        /// Throws if the system has no descriptors for the mailboxes.
        public init() throws(SystemError) {
            self.mailbox = try Mailbox()
            self.rooms = try Mailbox()
        }
    }

    /// The workers, by index.
    public let members: [Member]
    /// What workers tell the control thread.
    public let control: Mailbox<ControlMessage>
    /// The memory bound of all workers.
    public let memory: MemoryBound
    /// What opens and reads the files that are served.
    public let files: FileService
    /// What hashes passwords.
    public let passwords: PasswordPool
    /// The server that several gateways share, for rooms.
    public let cluster: Cluster
    /// What counts against the limits of the whole gateway.
    let scope = LimitScope()
    /// How many descriptors the process may have open.
    public let descriptorLimit: Int

    /// Descriptors that are kept free for listeners, logs, look-ups and the like.
    private static let reservedDescriptors = 64

    /// Makes the mailboxes. Throws if the system has no descriptors for them.
    public init(
        workers: Int, descriptorLimit: Int, memory: MemoryBound = MemoryBound(limit: .max)
    ) throws(SystemError) {
        self.memory = memory
        var members: [Member] = []
        for _ in 0..<workers { members.append(try Member()) }
        self.members = members
        self.control = try Mailbox()
        self.files = try FileService()
        self.passwords = try PasswordPool()
        self.cluster = try Cluster()
        self.descriptorLimit = descriptorLimit
    }

    /// The clients' connections of all workers.
    public var sessions: Int { self.members.reduce(0) { $0 + $1.sessions.load(ordering: .relaxed) } }

    /// Whether one more client can have descriptors for its connection and for the backend's leg of the one session that it can have.
    public var hasRoom: Bool { 2 * (self.sessions + 1) + Self.reservedDescriptors <= self.descriptorLimit }

    /// The most connections without a whole request head on one worker. Together the workers may have a quarter of the descriptors, so that
    /// silent clients leave room for the others.
    public var newcomerShare: Int { max(1, self.descriptorLimit / 4 / self.members.count) }

    /// Whether the worker may have one more connection without a whole request head.
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

    /// The most bytes of posts that may wait on a worker before all senders have to.
    private static let mostBacklog = 16 << 20

    /// Counts a post in the backlogs of those workers.
    ///
    /// - Returns: whether memory became scarce.
    func count(_ post: RoomPost, for workers: [Int]) -> Bool {
        let footprint = post.messages.footprint
        post.sender.sent(footprint * workers.count)
        for worker in workers { self.members[worker].backlog.add(footprint, ordering: .relaxed) }
        return self.memory.add(mailbox: footprint * workers.count)
    }

    /// All members on a worker have the post.
    public func delivered(_ post: RoomPost, by worker: Int) {
        self.members[worker].backlog.subtract(post.messages.footprint, ordering: .relaxed)
        self.memory.add(mailbox: -post.messages.footprint)
    }

    /// Whether a worker is behind with delivering posts.
    public var isBacklogged: Bool { self.members.contains { $0.backlog.load(ordering: .relaxed) > Self.mostBacklog } }

    /// Sends `message` to all workers.
    public func tell(_ message: WorkerMessage) {
        for member in self.members { member.mailbox.send(message) }
    }

    /// The worker that should take a new connection instead: the least loaded one, if `worker` has more than its share (`SO_REUSEPORT`
    /// deals by hash, which can be uneven). `nil` if `worker` should keep it.
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
