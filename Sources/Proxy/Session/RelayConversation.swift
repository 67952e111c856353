internal import Configuration
internal import EventLoop
internal import WebSocketProtocol

/// WebSocket to WebSocket, frame by frame, without copying: the headers of what came from one leg are walked where they lie in
/// the worker's buffer, and the same bytes go to the other leg. What is decided about them is `Relay`'s.
final class RelayConversation: Conversation {
    let phase = Phase.relay

    // The session gives its conversation up when it ends.
    private let session: Session
    private let loop: EventLoop
    private let transports: PerLeg<Transport>
    private let buffers: WorkerBuffers
    private let plaintext: ReadBuffer
    private var relay: Relay
    /// Why a leg's connection failed.
    private var failure: String?

    init(_ session: Session, _ transports: PerLeg<Transport>, allowsCompression: Bool) {
        self.session = session
        self.loop = session.worker.loop
        self.transports = transports
        self.buffers = session.worker.buffers
        self.plaintext = session.worker.buffers.plaintext
        let settings = session.route?.settings
        self.relay = Relay(
            limits: settings?.limits ?? Limits(), allowsCompression: allowsCompression,
            checksText: settings?.utf8 == .check, nonce: Randomness.word())
    }

    var closing: ClosingHandshake { self.relay.closing }
    var tally: PerLeg<MessageTally> { self.relay.tally }
    var detail: String? { self.failure ?? self.relay.violation?.description }

    func begin() {}

    // MARK: - What happens

    func received(_ range: Range<Int>, from leg: Leg) {
        let held = self.relay.takeHeld(leg)
        let bytes = held.isEmpty ? range : self.buffers.prepend(held, to: range)
        let plaintext = self.plaintext
        let before = self.relay.work(leg)
        var position: Int? = bytes.lowerBound
        while let start = position {
            let step = self.relay.next(plaintext.span.extracting(0..<bytes.upperBound), from: start, leg)
            if !step.forward.isEmpty { self.forward(plaintext.span.extracting(step.forward), from: leg) }
            if step.signs.contains(.data) { self.session.deadlines.lastData = self.loop.now }
            if step.signs.hasControl { self.note(step.signs, from: leg) }
            if let actions = step.actions { self.perform(actions, relaying: plaintext.span.extracting(step.close)) }
            position = step.next
        }
        self.loop.budget.spend(self.relay.work(leg) &- before)
    }

    func ended(_ leg: Leg, failure: String?) {
        if self.relay.closing.isOpen { self.failure = failure }
        self.perform(self.relay.ended(leg))
    }

    func lost(_ leg: Leg, _ cause: Cause, failure: String?) {
        if self.relay.closing.isOpen { self.failure = failure }
        self.perform(self.relay.lost(leg, cause))
    }

    func drained(_ leg: Leg) { self.session.resume(leg.other) }

    func close(_ ending: Ending) { self.perform(self.relay.close(ending)) }

    func timerFired() { self.perform(self.relay.timedOut()) }

    // MARK: - Heartbeats

    func ping(_ leg: Leg) {
        guard let payload = self.relay.ping(leg) else { return }
        let key: MaskingKey? = leg == .backend ? .random : nil
        self.transports[leg].sendPing(Frame.ping(payload, maskingKey: key))
    }

    // What is rare stays off the path of a message: inlined, it costs each of them.
    @inline(never)
    private func note(_ signs: Relay.Step.Signs, from leg: Leg) {
        if signs.contains(.ping) { self.transports[leg.other].heartbeat.relayedPing(at: self.loop.now) }
        if signs.contains(.answer) { self.session.pingAnswered(leg) }
        if signs.contains(.boundary) { self.ping(leg.other) }
    }

    // MARK: - What is done

    private func forward(_ bytes: Span<UInt8>, from leg: Leg) {
        // By name: a reference that a subscript gives out is counted, with every message.
        switch leg {
        case .client: self.send(bytes, to: self.transports.backend, from: self.transports.client)
        case .backend: self.send(bytes, to: self.transports.client, from: self.transports.backend)
        }
    }

    @inline(__always)
    private func send(_ bytes: Span<UInt8>, to target: Transport, from source: Transport) {
        target.send(bytes)
        if self.session.isAboveHighWater(target) { source.pause() }
    }

    private func perform(_ actions: ClosingHandshake.Actions) {
        let nothing: [UInt8] = []
        self.perform(actions, relaying: nothing.span)
    }

    private func perform(_ actions: ClosingHandshake.Actions, relaying close: Span<UInt8>) {
        if !self.relay.closing.isOpen { self.session.beginClosing() }
        for leg in [Leg.backend, .client] {
            switch actions[leg].say {
            case .nothing: break
            case .relayedClose: self.transports[leg].send(close)
            case .close(let close):
                let key: MaskingKey? = leg == .backend ? .random : nil
                self.transports[leg].send(Frame.close(close, maskingKey: key).span)
            }
        }
        // Saying comes first on both legs: ending one can end the session.
        for leg in [Leg.backend, .client] {
            switch actions[leg].end {
            case .notYet: break
            case .finish: self.session.linger(leg)
            case .cut: self.session.closeLeg(leg)
            }
        }
    }
}
