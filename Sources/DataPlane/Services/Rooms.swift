internal import DequeModule
internal import System

/// Names a broadcast room.
struct RoomKey: Hashable, Sendable {
    /// The backend's name.
    let backend: String
    /// The path as matched: normalised, without query.
    let path: String
}

/// A room as one worker has it: the members that live on it, and what they did not get yet.
///
/// Posts are delivered one after the other, and to as many members at a time as the share of a turn is enough for.
final class Room: ReadinessHandler {
    // Its worker's, which outlives it.
    private unowned let loop: EventLoop
    private(set) var members: [BroadcastConversation] = []
    /// The first one is under way.
    private var waiting: Deque<RoomDelivery> = []
    /// With the loop, once there is something to come back for.
    private var registration: EventLoop.Registration?
    private var isScheduled = false

    init(_ loop: EventLoop) { self.loop = loop }

    // MARK: - Members

    func join(_ member: BroadcastConversation) {
        guard member.place < 0 else { return }
        member.place = self.members.count
        self.members.append(member)
    }

    func leave(_ member: BroadcastConversation) {
        let place = member.place
        guard place >= 0, let last = self.members.popLast() else { return }
        member.place = -1
        guard last !== member else { return }
        self.members[place] = last
        last.place = place
    }

    // MARK: - Delivering

    /// Delivers it to the members, at once as far as that goes.
    func deliver(_ delivery: RoomDelivery) {
        self.waiting.append(delivery)
        if !self.isScheduled { self.goOn() }
    }

    func ready(_ readiness: Readiness) {
        self.isScheduled = false
        self.goOn()
    }

    private func goOn() {
        while let delivery = self.waiting.first {
            guard delivery.goOn() else { return self.goOnLater() }
            // Members that were closed on the way may have been the last ones of the room.
            guard self.waiting.first === delivery else { return }
            self.waiting.removeFirst()
            delivery.end()
            if self.loop.budget.isShareSpent, !self.waiting.isEmpty { return self.goOnLater() }
        }
        self.waiting = []
    }

    private func goOnLater() {
        guard !self.waiting.isEmpty else { return }
        let registration = self.registration ?? self.loop.add(self)
        self.registration = registration
        self.isScheduled = true
        self.loop.again(registration)
    }

    /// There are no members any more.
    func close() {
        if let registration = self.registration { self.loop.forget(registration) }
        self.registration = nil
        let waiting = self.waiting
        self.waiting = []
        for delivery in waiting { delivery.end() }
    }
}

/// The rooms of one worker, and its part in what is sent to rooms. Confined to its thread.
final class Rooms {
    let loop: EventLoop
    let memory: MemoryAccount
    let compression: WorkerCompression
    let network: any RoomNetwork
    private(set) var rooms: [RoomKey: Room] = [:]
    /// Members that are not read before what they sent is delivered.
    private var waiting: [ObjectIdentifier: BroadcastConversation] = [:]

    init(_ loop: EventLoop, _ memory: MemoryAccount, _ compression: WorkerCompression, _ network: any RoomNetwork) {
        self.loop = loop
        self.memory = memory
        self.compression = compression
        self.network = network
    }

    /// The room of this name, while it has members here.
    // MARK: - Members

    func join(_ member: BroadcastConversation, _ key: RoomKey) {
        let room = self.rooms[key] ?? Room(self.loop)
        self.rooms[key] = room
        room.join(member)
    }

    /// The last one to leave closes the room.
    func leave(_ member: BroadcastConversation, _ key: RoomKey) {
        guard let room = self.rooms[key] else { return }
        room.leave(member)
        guard room.members.isEmpty else { return }
        self.rooms[key] = nil
        room.close()
    }

    // MARK: - Posts

    /// Sends messages to everyone in their room, here and on the other workers.
    func broadcast(_ post: RoomPost) {
        self.network.broadcast(post)
        self.deliver(post)
    }

    /// Delivers what was sent to a room, here or on another worker, to its members here.
    func deliver(_ post: RoomPost) {
        guard let room = self.rooms[post.room] else { return self.delivered(post) }
        room.deliver(RoomDelivery(post, self, to: room.members))
    }

    /// Everyone here has what was posted.
    func delivered(_ post: RoomPost) {
        self.network.delivered(post)
        guard post.sender.delivered(post.messages.footprint) else { return }
        if post.sender.worker == self.network.worker {
            self.goOn(post.sender)
        } else {
            self.network.goOn(post.sender)
        }
    }

    // MARK: - Senders

    /// The member is told when all that it sent is delivered.
    func wait(_ member: BroadcastConversation, for sender: RoomSender) {
        self.waiting[ObjectIdentifier(sender)] = member
    }

    func stopWaiting(_ sender: RoomSender) { self.waiting[ObjectIdentifier(sender)] = nil }

    /// All that it sent is delivered.
    func goOn(_ sender: RoomSender) { self.waiting.removeValue(forKey: ObjectIdentifier(sender))?.isDelivered() }
}

/// The other workers, as rooms see them.
protocol RoomNetwork {
    /// The number of this worker.
    var worker: Int { get }
    /// How many there are.
    var workers: Int { get }
    /// Whether one of them lags behind with what others send.
    var isBacklogged: Bool { get }

    /// Passes a post on to the others, and counts it.
    func broadcast(_ post: RoomPost)
    /// Everyone here has what was posted.
    func delivered(_ post: RoomPost)
    /// All that a member on another worker sent is delivered.
    func goOn(_ sender: RoomSender)
}
