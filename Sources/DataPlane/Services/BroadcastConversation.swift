internal import Connections
internal import Sessions
internal import System
internal import WebSocketProtocol

/// Sends every message to everyone in the room, the sender too: `builtin: broadcast`. A room is a backend and a path, on all
/// listeners and workers.
///
/// Messages of one sender reach everyone in the order sent; between senders on different workers there is no order.
final class BroadcastConversation: ServedSession, MemoryWaiter {
    /// Why a sender is not read.
    private enum Wait {
        case none
        /// Much of what it sent is not delivered yet. It is told when that is done.
        case delivery
        /// A worker lags behind with what everybody sends: it looks again after a while.
        case workers
    }

    /// How often a sender that waits for workers looks whether it still has to.
    private static let patience = Duration.milliseconds(10)

    /// Where it stands among the members of its room; negative: it is none. The room's to write.
    var place = -1

    private let room: RoomKey
    private let rooms: Rooms
    private let sender: RoomSender
    private var assembler = MessageAssembler()
    /// What was read and not posted yet. Messages that came together go out together.
    private var messages = RoomMessages()
    private var wait = Wait.none
    /// Memory is scarce: what waits for room.
    private var memoryWait: MemoryWait?

    private enum MemoryWait {
        /// The rest of a message of which no more than a read is here.
        case toBegin
        /// The rest of one that was begun when there was room.
        case toGoOn
    }

    init(_ session: Session, _ client: Connection, room: RoomKey, of rooms: Rooms, compression: SessionCompression?) {
        self.room = room
        self.rooms = rooms
        self.sender = RoomSender(worker: rooms.network.worker, of: rooms.network.workers)
        super.init(session, client, compression: compression)
    }

    private var memory: MemoryAccount { self.session.context.memory }

    override func begin() { self.rooms.join(self, self.room) }

    override func closingBegan() {
        self.rooms.stopWaiting(self.sender)
        self.rooms.leave(self, self.room)
        self.assembler = MessageAssembler()
        if self.memoryWait != nil { self.memory.stopWaiting(self) }
        self.memoryWait = nil
        self.session.promises(0)
    }

    // MARK: - As a sender

    override func received(_ part: FrameReader.DataPart, in buffer: ReadBuffer) {
        switch self.assembler.add(part, payload: buffer.span.extracting(part.range)) {
        case .incomplete: self.goesOn(part)
        case .violation(let violation): self.fail(violation)
        case .message(let message):
            self.session.promises(0)
            self.messages.append(message)
            self.waitForRoom(toBegin: false)
        }
    }

    // MARK: - Memory

    override var inflatesWholeMessages: Bool { true }

    override func shelved(_ part: FrameReader.DataPart) { self.goesOn(part) }

    override var assembledMemory: Int { self.assembler.memory }

    /// The least that is taken for what a message will still bring, in bytes: of further frames nothing is known.
    private static let leastPromised = 64 << 10

    /// A part of a message was kept, and more of it is to come.
    private func goesOn(_ part: FrameReader.DataPart) {
        self.waitForRoom(toBegin: part.isFirst)
        if self.memoryWait != .toBegin { self.promiseRest() }
    }

    private func promiseRest() { self.session.promises(max(self.reader.remainingInFrame, Self.leastPromised)) }

    /// Has the sender wait while there is no room for the rest of its message; at the bound, for another one.
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
        if !self.messages.isEmpty {
            let post = RoomPost(room: self.room, messages: self.messages, sender: self.sender)
            self.messages = RoomMessages()
            self.rooms.broadcast(post)
        }
        self.waitIfNeeded()
    }

    /// What is not delivered must not grow without bound: its sender is not read meanwhile.
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

    /// Everything that was sent is delivered.
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

    /// Sends a member what was posted. One whose queue is still over the limit from earlier posts is closed with 1013: what it misses must
    /// not cost the others memory.
    func deliver(_ delivery: RoomDelivery) {
        guard self.isOpen else { return }
        guard !self.session.isOverQueueLimit(self.client) else { return self.session.close(.byGateway(.slowConsumer)) }
        let messages = delivery.messages(for: self.compression?.parameters.server)
        self.loop.budget.spend(
            Work.delivery + Work.bytes(messages.bytes.bytes.count, tls: self.client.tls != nil))
        self.client.send(sharing: messages.bytes)
        self.count(messages.tally)
        self.noteSent()
    }
}
