internal import Admission
internal import Configuration
internal import DequeModule
internal import System
internal import WebSocketProtocol

/// One worker's part of a room: the members on this worker, and the posts that they did not get yet.
///
/// Posts are delivered in order, to as many members at a time as the share of the turn allows.
final class Room: ReadinessHandler {
    // The worker's, which outlives the room.
    private unowned let loop: EventLoop
    let ledger: RoomLedger
    /// The number of the latest post that was taken out of the mailbox.
    private(set) var taken: UInt64
    private(set) var members: [any RoomMember] = []
    /// The first one is being delivered.
    private var waiting: Deque<RoomDelivery> = []
    /// Made when the loop first has to call back.
    private var registration: EventLoop.Registration?
    private var isScheduled = false

    /// - Parameter number: that of the latest post that no member here gets.
    init(_ ledger: RoomLedger, joinedAt number: UInt64, _ loop: EventLoop) {
        self.ledger = ledger
        self.taken = number
        self.loop = loop
    }

    // MARK: - Members

    func join(_ member: any RoomMember) {
        guard member.place < 0 else { return }
        member.place = self.members.count
        self.members.append(member)
    }

    func leave(_ member: any RoomMember) {
        let place = member.place
        guard place >= 0, let last = self.members.popLast() else { return }
        member.place = -1
        guard last !== member else { return }
        self.members[place] = last
        last.place = place
    }

    // MARK: - Delivering

    /// A post was taken out of the mailbox.
    func took(_ post: RoomPost) { self.taken = max(self.taken, post.number) }

    /// Delivers to the members, at once as far as possible.
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
            // Members that were closed meanwhile may have been the room's last ones.
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

    /// The last member has left.
    func close() {
        if let registration = self.registration { self.loop.forget(registration) }
        self.registration = nil
        let waiting = self.waiting
        self.waiting = []
        for delivery in waiting { delivery.end() }
    }
}

/// The rooms of one worker. Confined to its thread.
final class Rooms {
    let loop: EventLoop
    let memory: MemoryAccount
    private let compression: WorkerCompression
    let network: any RoomNetwork
    /// By ledger.
    private(set) var rooms: [ObjectIdentifier: Room] = [:]
    /// Members that are not read until what they sent is delivered.
    private var waiting: [ObjectIdentifier: BroadcastConversation] = [:]

    init(_ loop: EventLoop, _ memory: MemoryAccount, _ compression: WorkerCompression, _ network: any RoomNetwork) {
        self.loop = loop
        self.memory = memory
        self.compression = compression
        self.network = network
    }

    // MARK: - Members

    /// - Returns: the room, and what `RoomLedger.join` returns.
    func join(
        _ member: any RoomMember, _ request: RoomRequest, of backend: BackendRooms,
        _ history: BackendSettings.History?
    ) -> (room: Room, number: UInt64, recovery: RoomHistories.Recovery) {
        let (ledger, number, recovery) = backend.join(request, member.id, over: self.network, history)
        let key = ObjectIdentifier(ledger)
        let room = self.rooms[key] ?? Room(ledger, joinedAt: number, self.loop)
        self.rooms[key] = room
        room.join(member)
        return (room, number, recovery)
    }

    /// Closes the room when the last member leaves.
    func leave(_ member: any RoomMember, _ room: Room, of backend: BackendRooms) {
        room.leave(member)
        if room.members.isEmpty {
            self.rooms[ObjectIdentifier(room.ledger)] = nil
            room.close()
        }
        backend.leave(room.ledger, member.id, on: self.network.worker)
    }

    // MARK: - Posts

    /// Posts messages to their room, here and on the other workers.
    func broadcast(
        _ messages: RoomMessages, from sender: RoomSender, to room: Room, _ history: BackendSettings.History?
    ) {
        let placed = room.ledger.post(messages, from: sender, over: self.network, taken: room.taken, history)
        placed.wake(over: self.network)
        if placed.isDirect { self.deliver(placed.post, to: room) }
    }

    /// Delivers a post from the mailbox to the room's members here.
    func deliver(_ post: RoomPost) {
        guard let room = self.rooms[ObjectIdentifier(post.ledger)] else { return self.delivered(post) }
        room.took(post)
        self.deliver(post, to: room)
    }

    private func deliver(_ post: RoomPost, to room: Room) {
        room.deliver(RoomDelivery(post, self, to: room.members))
    }

    /// All members here have the post.
    func delivered(_ post: RoomPost) {
        self.network.delivered(post)
        guard post.sender.delivered(post.messages.footprint) else { return }
        if post.sender.worker == self.network.worker {
            self.goOn(post.sender)
        } else {
            self.network.goOn(post.sender)
        }
    }

    /// The messages for members with these parameters.
    func compress(_ messages: RoomMessages, _ direction: DeflateParameters.Direction) -> RoomMessages {
        self.loop.budget.spend(Work.compression + Work.deflated(messages.bytes.count))
        return messages.compressed(direction, self.compression)
    }

    // MARK: - Senders

    /// Tells the member when all that it sent is delivered.
    func wait(_ member: BroadcastConversation, for sender: RoomSender) {
        self.waiting[ObjectIdentifier(sender)] = member
    }

    func stopWaiting(_ sender: RoomSender) { self.waiting[ObjectIdentifier(sender)] = nil }

    /// All that the sender sent is delivered.
    func goOn(_ sender: RoomSender) { self.waiting.removeValue(forKey: ObjectIdentifier(sender))?.isDelivered() }
}
