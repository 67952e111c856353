internal import EventLoop
internal import WebSocketProtocol

/// Sends every message to everyone in the room, the sender too: `builtin: broadcast`. A room is a backend and a path, on all
/// listeners and workers.
///
/// Messages of one sender reach everyone in the order sent; between senders on different workers there is no order.
final class BroadcastConversation: EndpointConversation {
    /// How often a sender that has to wait looks whether it still has to.
    private static let patience = Duration.milliseconds(10)

    private let room: RoomKey
    private var assembler = MessageAssembler()

    init(_ session: Session, room: RoomKey, compression: DeflateParameters?) {
        self.room = room
        super.init(session, compression: compression)
    }

    override func begin() { self.session.worker.rooms.join(self, self.room) }

    override func closingBegan() { self.session.worker.rooms.leave(self, self.room) }

    override func received(_ part: FrameReader.DataPart, in buffer: ReadBuffer) {
        switch self.assembler.add(part, payload: buffer.span.extracting(part.range)) {
        case .incomplete: break
        case .violation(let violation): self.fail(violation)
        case .message(let message):
            // Encoded once, however many receive it: what we send is not masked, so it is the same for all.
            let frame = message.opcode == .text ? Frame.text(message.payload) : Frame.binary(message.payload)
            self.session.worker.broadcast(
                RoomFrame(opcode: message.opcode, payloadLength: message.payload.count, bytes: frame), to: self.room)
            self.waitForOtherWorkers()
        }
    }

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
    override var isHeldBack: Bool { self.session.worker.fleet.isBacklogged }

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
