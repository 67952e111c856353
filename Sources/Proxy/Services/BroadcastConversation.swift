internal import EventLoop
internal import WebSocketProtocol

/// Sends every message to everyone in the room, the sender too: `builtin: broadcast`. A room is a backend and a path, on all
/// listeners and workers.
///
/// Messages of one sender reach everyone in the order sent; between senders on different workers there is no order.
final class BroadcastConversation: EndpointConversation, MemoryWaiter {
    /// How often a sender that has to wait looks whether it still has to.
    private static let patience = Duration.milliseconds(10)

    private let room: RoomKey
    private var assembler = MessageAssembler()
    /// Memory is scarce: what waits for room.
    private var waits: Wait?

    private enum Wait {
        /// The rest of a message of which no more than a read is here.
        case toBegin
        /// The rest of one that was begun when there was room.
        case toGoOn
    }

    init(_ session: Session, room: RoomKey, compression: DeflateParameters?) {
        self.room = room
        super.init(session, compression: compression)
    }

    override func begin() { self.session.worker.rooms.join(self, self.room) }

    override func closingBegan() {
        self.session.worker.rooms.leave(self, self.room)
        self.assembler = MessageAssembler()
        if self.waits != nil { self.session.worker.memory.stopWaiting(self) }
        self.waits = nil
        self.session.promises(0)
    }

    override func received(_ part: FrameReader.DataPart, in buffer: ReadBuffer) {
        switch self.assembler.add(part, payload: buffer.span.extracting(part.range)) {
        case .incomplete: self.goesOn(part)
        case .violation(let violation): self.fail(violation)
        case .message(let message):
            self.session.promises(0)
            // Encoded once, however many receive it: what we send is not masked, so it is the same for all.
            let frame = message.opcode == .text ? Frame.text(message.payload) : Frame.binary(message.payload)
            self.session.worker.broadcast(
                RoomFrame(opcode: message.opcode, payloadLength: message.payload.count, bytes: frame), to: self.room)
            self.waitForOtherWorkers()
            self.waitForRoom(toBegin: false)
        }
    }

    // MARK: - Memory

    override var inflatesWholeMessages: Bool { true }

    override func shelved(_ part: FrameReader.DataPart) { self.goesOn(part) }

    override var assembledMemory: Int { self.assembler.memory + self.shelf.capacity }

    /// The least that is taken for what a message will still bring, in bytes: of further frames nothing is known.
    private static let leastPromised = 64 << 10

    /// A part of a message was kept, and more of it is to come.
    private func goesOn(_ part: FrameReader.DataPart) {
        self.waitForRoom(toBegin: part.isFirst)
        if self.waits != .toBegin { self.promiseRest() }
    }

    private func promiseRest() { self.session.promises(max(self.reader.remainingInFrame, Self.leastPromised)) }

    /// Stops reading the sender while there is no room for the rest of its message; at the bound, for another one.
    private func waitForRoom(toBegin: Bool) {
        self.countMemory()
        let bound = self.session.worker.memory.bound
        guard self.waits == nil, toBegin ? !bound.hasRoom : bound.level == .full else { return }
        self.waits = toBegin ? .toBegin : .toGoOn
        self.client?.pause()
        self.session.worker.memory.wait(self)
    }

    var network: ClientNetwork { self.session.network }

    var hasBegun: Bool { self.waits == .toGoOn }

    override var waitsToBegin: Bool { self.waits == .toBegin }

    var wanted: Int { self.maximumMessage == 0 ? .max : self.maximumMessage }

    var patience: Duration { self.session.patience }

    func goOn() {
        if self.waits == .toBegin { self.promiseRest() }
        self.waits = nil
        self.catchUp()
    }

    // MARK: - The room

    /// Stops reading the sender while another worker lags behind: what waits for it must not grow without bound.
    private func waitForOtherWorkers() {
        guard self.session.worker.fleet.isBacklogged else { return }
        self.client?.pause()
        self.bePatient()
    }

    private func bePatient() { self.session.setTick(at: self.session.worker.loop.now + Self.patience) }

    override func tick() {
        guard !self.session.worker.fleet.isBacklogged else { return self.bePatient() }
        self.catchUp()
    }

    /// Who does not read is closed, not waited for; but another worker is.
    override var isHeldBack: Bool { self.waits != nil || self.session.worker.fleet.isBacklogged }

    /// Sends a member the room's frame. One whose queue is still over the limit from earlier frames is closed with 1013: what it
    /// misses must not cost the others memory.
    func deliver(_ delivery: RoomDelivery) {
        guard let client = self.client, self.closing.isOpen else { return }
        guard !self.session.isOverQueueLimit(client) else { return self.close(.byGateway(.slowConsumer)) }
        let frame = delivery.frame(for: self.compression?.parameters.server)
        let before = self.count(frame.opcode, payload: frame.payloadLength)
        client.send(sharing: frame.bytes)
        self.hasSent(since: before)
    }
}
