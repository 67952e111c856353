internal import Admission
internal import Configuration
internal import Connections
internal import Observability
internal import Sessions
internal import System
internal import WebSocketProtocol

/// `builtin: broadcast`: sends every message to all members of the room, its sender included. A room is a backend and a name, on all
/// listeners and workers. All members get the messages of all senders in the same order (`RoomLedger`).
final class BroadcastConversation: ServedSession, MemoryWaiter, RoomMember {
    /// Why the client is not read.
    private enum Wait {
        case none
        /// Much of what it sent is not delivered yet. It is told when that has happened.
        case delivery
        /// A worker is behind with delivering. The sender checks again after a while.
        case workers
    }

    /// How often a sender that waits for workers checks again.
    private static let patience = Duration.milliseconds(10)

    var place = -1

    private let request: RoomRequest
    private let backend: BackendRooms
    /// Its place in a room at the server.
    private let givenPlace: Rooms.Place?
    private let rooms: Rooms
    /// `nil` while it is no member.
    private var room: Room?
    /// The number of the room's latest post that it does not get.
    private var joinedAt = UInt64.max
    private let sender: RoomSender
    /// The member may send nothing.
    private let listensOnly: Bool
    private var assembler = MessageAssembler()
    /// Messages that were read and not posted yet: those that came together are posted together.
    private var messages = RoomMessages()
    private var wait = Wait.none
    /// What the member gets when it has taken what it was sent, if its backend drops the oldest messages.
    private var late = LateMessages()
    /// What it gets before anything else.
    private var recovery = RoomMessages()
    /// The bytes that it got when it joined, until it has taken them: they do not make it a slow reader.
    private var recovered = 0
    /// What waits for memory; `nil` if nothing does.
    private var memoryWait: MemoryWait?

    private enum MemoryWait {
        /// A message of which one read at most is here.
        case toBegin
        /// The rest of a message that began when there was room.
        case toGoOn
    }

    init(
        _ session: Session, _ client: Connection, room request: RoomRequest, of backend: BackendRooms,
        at place: Rooms.Place?, in rooms: Rooms, compression: SessionCompression?
    ) {
        self.givenPlace = place
        self.request = request
        self.backend = backend
        self.rooms = rooms
        self.listensOnly = session.route?.settings.listenOnly == true
        self.sender = RoomSender(worker: rooms.network.worker, of: rooms.network.workers)
        super.init(session, client, compression: compression)
    }

    private var memory: MemoryAccount { self.session.context.memory }

    var id: SessionID { self.session.id }

    var closable: any Closable { self.session }

    /// Joins: the 101 says that the client misses nothing from now on.
    override func prepareToBegin() {
        let place =
            self.givenPlace ?? self.rooms.place(for: self.id, self.request, of: self.backend, self.history)
        self.room = self.rooms.enter(self, place)
        self.joinedAt = place.number
        self.recovery = RoomMessages(place.recovery, linesFor: self.request.hasLines ? self.id : nil)
    }

    override func begin() {
        var messages = self.recovery
        self.recovery = RoomMessages()
        guard !messages.isEmpty else { return }
        if let direction = self.compression?.parameters.server { messages = self.rooms.compress(messages, direction) }
        self.recovered = messages.bytes.count
        self.send(RoomDelivery.Shared(messages, self.rooms.memory))
    }

    /// What the backend remembers of its rooms; `nil`: nothing. A reload may change it.
    private var history: BackendSettings.History? { self.session.route?.backend?.settings.history }

    override func closingBegan() {
        self.rooms.stopWaiting(self.sender)
        if let room = self.room { self.rooms.leave(self, room, of: self.backend) }
        self.room = nil
        self.joinedAt = .max
        self.assembler = MessageAssembler()
        if self.memoryWait != nil { self.memory.stopWaiting(self) }
        self.memoryWait = nil
        self.session.promises(0)
        // Its Close comes behind them.
        while let messages = self.late.takeFirst() { self.send(messages) }
    }

    // MARK: - As a sender

    override func received(_ part: FrameReader.DataPart, in buffer: ReadBuffer) {
        guard !self.closesSpeaker() else { return }
        switch self.assembler.add(part, payload: buffer.span.extracting(part.range)) {
        case .incomplete: self.goesOn(part)
        case .violation(let violation): self.fail(violation)
        case .message(let message):
            self.session.promises(0)
            self.messages.append(message)
            self.waitForRoom(toBegin: false)
        }
    }

    /// Closes a member that sends where it may only listen (`listen-only`).
    ///
    /// - Returns: whether it did.
    private func closesSpeaker() -> Bool {
        guard self.listensOnly else { return false }
        self.session.close(.by(.client, .policy))
        return true
    }

    // MARK: - Memory

    override var inflatesWholeMessages: Bool { true }

    override func shelved(_ part: FrameReader.DataPart) {
        if !self.closesSpeaker() { self.goesOn(part) }
    }

    override var assembledMemory: Int { self.assembler.memory }

    /// The least that is promised for the rest of a message, in bytes: the size of further frames is unknown.
    private static let leastPromised = 64 << 10

    /// A part of a message was kept, and more is to come.
    private func goesOn(_ part: FrameReader.DataPart) {
        self.waitForRoom(toBegin: part.isFirst)
        if self.memoryWait != .toBegin { self.promiseRest() }
    }

    private func promiseRest() { self.session.promises(max(self.reader.remainingInFrame, Self.leastPromised)) }

    /// Makes the sender wait while there is no room for the rest of its message or, at the bound, for a new one.
    private func waitForRoom(toBegin: Bool) {
        self.countMemory()
        let bound = self.memory.bound
        guard self.memoryWait == nil, toBegin ? !bound.hasRoom : bound.level == .full else { return }
        self.memoryWait = toBegin ? .toBegin : .toGoOn
        self.memory.wait(self)
    }

    var network: ClientNetwork { self.session.network }

    var hasBegun: Bool { self.memoryWait == .toGoOn }

    override var waitsToBegin: Bool { self.memoryWait == .toBegin }

    var wanted: Int { self.maximumMessage == 0 ? .max : self.maximumMessage }

    var patience: Duration { self.session.patience }

    func goOn() {
        if self.memoryWait == .toBegin { self.promiseRest() }
        self.memoryWait = nil
        self.catchUp()
    }

    // MARK: - The room

    override func didRead() {
        if !self.messages.isEmpty, let room = self.room {
            let messages = self.messages
            self.messages = RoomMessages()
            self.rooms.broadcast(messages, from: self.sender, to: room, self.history)
        }
        self.waitIfNeeded()
    }

    /// Does not read the sender while too much of what it sent is undelivered.
    private func waitIfNeeded() {
        guard self.wait == .none, self.isOpen else { return }
        if self.sender.mustWait() {
            self.wait = .delivery
            self.rooms.wait(self, for: self.sender)
        } else if self.rooms.network.isBacklogged {
            self.wait = .workers
            self.session.setTick(at: self.loop.now + Self.patience)
        }
    }

    /// Everything that it sent is delivered.
    func isDelivered() {
        self.wait = .none
        self.client.readAgainLater()
    }

    override func tick() {
        guard self.wait == .workers else { return }
        self.wait = .none
        self.waitIfNeeded()
        if self.wait == .none { self.catchUp() }
    }

    override var isHeldBack: Bool { self.wait != .none || self.memoryWait != nil || self.messages.isFull }

    // MARK: - As a member

    /// Sends the member a post. If it reads too slowly, so that its backlog would cost the others memory, it is closed with 1013, or it
    /// misses the oldest messages that wait for it.
    func deliver(_ delivery: RoomDelivery) {
        guard delivery.number > self.joinedAt else { return }
        if let excluded = delivery.excluded, excluded == self.id { return }
        let isPlain = self.sendsPlain && !self.request.hasLines
        let messages = isPlain ? delivery.plain : self.otherForm(of: delivery)
        guard self.client.queuedBytes == 0, self.late.isEmpty else { return self.deliverLate(messages) }
        self.send(messages)
    }

    /// With lines or compressed, and shown to a tail.
    private func otherForm(of delivery: RoomDelivery) -> RoomDelivery.Shared {
        if self.isTailed {
            let frames = delivery.messages(for: nil, hasLines: self.request.hasLines).bytes.bytes
            self.session.tailed?.sent(frames.span, to: .client)
        }
        return delivery.messages(for: self.compression?.parameters.server, hasLines: self.request.hasLines)
    }

    private func deliverLate(_ messages: RoomDelivery.Shared) {
        let turn = self.late.add(
            messages, self.session.route?.backend?.settings.slowConsumer ?? .close,
            isOver: self.session.isOverQueueLimit(self.client, besides: self.late.bytes - self.recovered),
            room: self.session.queueRoom(self.client) + self.recovered)
        switch turn {
        case .isNext: self.send(messages)
        case .tooSlow: self.session.close(.byGateway(.slowConsumer))
        case .waits(let missed):
            guard missed > 0, let route = self.session.route else { return }
            self.session.context.metrics.dropped(missed, route: route.settings.name)
        }
    }

    private func send(_ messages: RoomDelivery.Shared) {
        self.loop.budget.spend(
            Work.delivery + Work.bytes(messages.bytes.bytes.count, tls: self.client.tls != nil))
        self.client.send(sharing: messages.bytes)
        self.count(messages.tally)
        self.noteSent()
    }

    override func clientDrained() {
        if self.client.queuedBytes == 0 { self.recovered = 0 }
        while self.client.queuedBytes == 0, let messages = self.late.takeFirst() { self.send(messages) }
    }
}
