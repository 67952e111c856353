internal import Admission
internal import Configuration
internal import DequeModule
internal import Sessions
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
    /// Sessions that wait to be members of rooms at the server.
    private var joining: [SessionID: Joining] = [:]
    /// What waits for the server's answer to what it published.
    private var publishing: [Int: (Published?) -> Void] = [:]
    private var nextID = 0
    /// Members that are not read until what they sent is delivered.
    private var waiting: [ObjectIdentifier: BroadcastConversation] = [:]

    /// A place in a room, for a session.
    struct Place {
        let ledger: RoomLedger
        /// The number of the latest post that it does not get.
        let number: UInt64
        let recovery: RoomHistories.Recovery
    }

    private struct Joining {
        let backend: BackendRooms
        let ledger: RoomLedger
        let then: (Place) -> Void
    }

    init(_ loop: EventLoop, _ memory: MemoryAccount, _ compression: WorkerCompression, _ network: any RoomNetwork) {
        self.loop = loop
        self.memory = memory
        self.compression = compression
        self.network = network
    }

    // MARK: - Members

    /// Whether rooms are at a server: then a session has its place later.
    var areShared: Bool { self.network.cluster.isOn }

    /// Has a place in a room, which is in memory.
    func place(
        for session: SessionID, _ request: RoomRequest, of backend: BackendRooms, _ history: BackendSettings.History?
    ) -> Place {
        let (ledger, number, recovery) = backend.join(request, session, over: self.network, history)
        return Place(ledger: ledger, number: number, recovery: recovery)
    }

    /// Asks for a place in a room at the server.
    ///
    /// - Parameter then: gets the place; the member has to enter it at once.
    func askForPlace(
        for session: SessionID, _ request: RoomRequest, of backend: BackendRooms, _ history: BackendSettings.History?,
        then: @escaping (Place) -> Void
    ) {
        let ledger = backend.join(request, session, over: self.network, nil).ledger
        self.joining[session] = Joining(backend: backend, ledger: ledger, then: then)
        self.network.cluster.orders.send(
            .join(ledger, session, worker: self.network.worker, request.start, history))
    }

    /// A session that asked has ended.
    func stopAsking(_ session: SessionID) {
        guard let joining = self.joining.removeValue(forKey: session) else { return }
        joining.backend.leave(joining.ledger, session, over: self.network)
    }

    private func joined(
        _ session: SessionID, _ ledger: RoomLedger, _ number: UInt64, _ recovery: RoomHistories.Recovery
    ) {
        self.joining.removeValue(forKey: session)?.then(Place(ledger: ledger, number: number, recovery: recovery))
    }

    /// A member takes its place.
    func enter(_ member: any RoomMember, _ place: Place) -> Room {
        let key = ObjectIdentifier(place.ledger)
        let room = self.rooms[key] ?? Room(place.ledger, joinedAt: place.number, self.loop)
        self.rooms[key] = room
        room.join(member)
        return room
    }

    /// The members of a room on this worker.
    func members(of ledger: RoomLedger) -> [any RoomMember] { self.rooms[ObjectIdentifier(ledger)]?.members ?? [] }

    /// Closes the room when the last member leaves.
    func leave(_ member: any RoomMember, _ room: Room, of backend: BackendRooms) {
        room.leave(member)
        if room.members.isEmpty {
            self.rooms[ObjectIdentifier(room.ledger)] = nil
            room.close()
        }
        backend.leave(room.ledger, member.id, over: self.network)
    }

    // MARK: - Posts

    /// Posts messages to their room, here and on the other workers.
    func broadcast(
        _ messages: RoomMessages, from sender: RoomSender, to room: Room, _ history: BackendSettings.History?
    ) {
        guard !self.areShared else { return self.share(messages, from: sender, to: room, history) }
        let placed = room.ledger.post(
            messages, from: sender, over: self.network, taken: room.taken, .inMemory(history))
        placed.wake(over: self.network)
        if placed.isDirect { self.deliver(placed.post, to: room) }
    }

    /// Sends messages to the server. They come back as posts.
    private func share(
        _ messages: RoomMessages, from sender: RoomSender, to room: Room, _ history: BackendSettings.History?
    ) {
        let size = messages.footprintOnTheWay
        sender.sent(size)
        if self.network.count(onTheWay: size) { self.network.memoryRose() }
        self.network.cluster.orders.send(.post(room.ledger, messages, sender, history))
    }

    /// Publishes a message to a room, in memory or at the server.
    ///
    /// - Parameter then: gets what came of it, perhaps before this returns.
    func publish(
        _ message: Message, key: String?, without excluded: SessionID?, to place: ClusterOrder.Place,
        then: @escaping (Published?) -> Void
    ) {
        guard self.areShared, !self.network.isBacklogged else {
            return then(
                place.rooms.publish(
                    message, to: place.room, key: key, without: excluded, over: self.network, place.history))
        }
        self.nextID += 1
        let (network, id) = (self.network, self.nextID)
        self.publishing[id] = then
        let publication = ClusterOrder.Publication(message: message, key: key, excluded: excluded) { published in
            if network.put(.published(id: id, published), for: network.worker) { network.wake(network.worker) }
        }
        network.cluster.orders.send(.publish(publication, to: place))
    }

    /// Takes what the mailbox has.
    ///
    /// - Parameter historyLost: gets the members that may have missed messages.
    func received(_ news: RoomNews, historyLost: ([any RoomMember]) -> Void) {
        switch news {
        case .post(let post): self.deliver(post)
        case .joined(let session, let ledger, let number, let recovery):
            self.joined(session, ledger, number, recovery)
        case .published(let id, let published): self.publishing.removeValue(forKey: id)?(published)
        case .historyLost(let ledger): historyLost(self.members(of: ledger))
        }
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
