internal import Configuration
internal import Connections
internal import Sessions
internal import System
internal import WebSocketProtocol

/// WebSocket to WebSocket, frame by frame, without copying: headers are read where they are in the worker's buffer, and the same bytes go
/// to the other leg. `Relay` decides.
final class RelayConversation: Conversation {
    // A reference cycle that the session breaks when it ends.
    private let session: Session
    private let loop: EventLoop
    private let connections: PerLeg<Connection>
    private let buffers: ConnectionBuffers
    private let plaintext: ReadBuffer
    private var relay: Relay
    /// For each leg, the messages from it that the other's socket has accepted.
    private var taken = PerLeg(client: TakenMessages(), backend: TakenMessages())

    init(_ session: Session, _ connections: PerLeg<Connection>, allowsCompression: Bool) {
        self.session = session
        self.loop = session.loop
        self.connections = connections
        self.buffers = session.context.connections.buffers
        self.plaintext = session.context.connections.buffers.plaintext
        let settings = session.route?.settings
        self.relay = Relay(
            limits: settings?.limits ?? Limits(), allowsCompression: allowsCompression,
            checksText: settings?.utf8 == .check, nonce: Randomness.word())
    }

    var places: ClosingHandshake.Places { self.relay.places }

    var tally: PerLeg<MessageTally> {
        let tally = self.relay.tally
        let forwarded = self.session.closing?.forwarded
        return PerLeg(
            client: self.taken.client.taken(of: forwarded?.client ?? tally.client, self.connections.backend.writing),
            backend: self.taken.backend.taken(of: forwarded?.backend ?? tally.backend, self.connections.client.writing))
    }

    func begin() {}

    // MARK: - Rates

    var takesMore: Bool { !self.session.isAboveLowWater(self.connections.backend) }

    func takePlace() -> FramePlace? {
        defer { _ = self.relay.takeHeld(.client) }
        return self.place(of: .client)
    }

    func place(of leg: Leg) -> FramePlace? {
        FramePlace(
            remaining: self.relay.remainingInFrame(leg), held: self.relay.held(leg), message: self.relay.message(leg))
    }

    // MARK: - What happens

    func received(_ range: Range<Int>, from leg: Leg) {
        let bytes = self.relay.holds(leg) ? self.buffers.prepend(self.relay.takeHeld(leg), to: range) : range
        let before = self.relay.tally(of: leg)
        let plaintext = self.plaintext
        let headers = self.relay.headersRead(leg)
        var position: Int? = bytes.lowerBound
        while let start = position {
            let step = self.relay.next(plaintext.span.extracting(0..<bytes.upperBound), from: start, leg)
            if !step.forward.isEmpty { self.forward(plaintext.span.extracting(step.forward), from: leg, before) }
            if step.signs.contains(.data) { self.session.deadlines.lastData = self.loop.now }
            if step.signs.hasControl { self.note(step.signs, from: leg) }
            if let event = step.event { self.happened(event, from: leg) }
            position = step.next
        }
        self.loop.budget.spend(self.relay.work(leg, since: before, headers: headers))
    }

    @inline(never)
    private func happened(_ event: Relay.Step.Event, from leg: Leg) {
        switch event {
        case .close(let close, at: let place):
            let plaintext = self.plaintext
            self.session.received(close, from: leg, plaintext.span.extracting(place))
        case .violation(let violation, let words): self.session.violated(violation, by: leg, words)
        case .boundary: self.session.reachedBoundary(leg.other)
        }
    }

    func drained(_ leg: Leg) { self.session.resume(leg.other) }

    /// What comes from a leg after it is not relayed any more does not count.
    func follow(_ closing: ClosingHandshake) {
        self.relay.follow(closing)
        guard let session = self.session.closing else { return }
        for leg in [Leg.client, .backend] where session.forwarded[leg] == nil && !closing.relays(from: leg) {
            session.forwarded[leg] = self.relay.tally(of: leg)
        }
    }

    // MARK: - Heartbeats

    func ping(_ leg: Leg) {
        guard let payload = self.relay.ping(leg) else { return }
        let key: MaskingKey? = leg == .backend ? .random : nil
        self.session.sendPing(Frame.ping(payload, maskingKey: key), to: leg)
    }

    // Rare work stays out of line: inlined, it would cost every message.
    @inline(never)
    private func note(_ signs: Relay.Step.Signs, from leg: Leg) {
        if signs.contains(.ping) { self.session.legs[leg.other].heartbeat.relayedPing(at: self.loop.now) }
        if signs.contains(.answer) { self.session.pingAnswered(leg) }
        if signs.contains(.boundary) { self.ping(leg.other) }
    }

    // MARK: - What is done

    private func forward(_ bytes: Span<UInt8>, from leg: Leg, _ before: MessageTally) {
        // By name: a reference from a subscript costs a retain per message.
        switch leg {
        case .client: self.send(bytes, to: self.connections.backend, from: self.connections.client, before)
        case .backend: self.send(bytes, to: self.connections.client, from: self.connections.backend, before)
        }
    }

    @inline(__always)
    private func send(_ bytes: Span<UInt8>, to target: Connection, from source: Connection, _ before: MessageTally) {
        target.send(bytes)
        if target.hasUntaken { self.hold(source, for: target, before) }
    }

    /// `target` did not accept all that came from `source`.
    @inline(never)
    private func hold(_ source: Connection, for target: Connection, _ before: MessageTally) {
        self.taken[source.leg].sent(before, self.relay.tally(of: source.leg), target.writing)
        if self.session.isAboveHighWater(target) { source.pause() }
    }
}
