import Configuration
import Fuzzing
import Sessions
import System
import WebSocketProtocol

/// A relayed session without sockets: the real `Relay` and `SessionMachine`, with lists of bytes instead of connections.
struct RelayedSession {
    private enum Stage {
        case talking
        /// Nothing more is sent; what still comes is discarded.
        case ending
        case closed
    }

    private var relay: Relay
    private var machine = SessionMachine(.registered)
    private var stages = PerLeg(client: Stage.talking, backend: .talking)
    /// What each leg sent that was read, and what it was sent.
    private var came = PerLeg<[UInt8]>(client: [], backend: [])
    private var sent: PerLeg<Sent>
    private var hasEnded = PerLeg(client: false, backend: false)
    /// Which legs sent a Close that was read.
    private var hasClosed = PerLeg(client: false, backend: false)
    /// The payloads of our pings that were not answered.
    private var pings = PerLeg<[[UInt8]]>(client: [], backend: [])
    /// Which legs get our ping at the end of a frame.
    private var awaitsPing = PerLeg(client: false, backend: false)

    init(limits: Limits, allowsCompression: Bool, checksText: Bool) {
        for input: SessionMachine.Input in [
            .endpointChosen(at: MonotonicInstant(nanoseconds: 0)), .connected(isWebSocket: true), .backendAccepted,
        ] {
            _ = self.machine.handle(input)
        }
        self.relay = Relay(
            limits: limits, allowsCompression: allowsCompression, checksText: checksText, nonce: 0x0123_4567_89AB_CDEF)
        self.sent = PerLeg(
            client: Sent(isMasked: false, mustBeText: checksText), backend: Sent(isMasked: true, mustBeText: checksText)
        )
    }

    // MARK: - What happens

    mutating func arrived(_ piece: [UInt8], from leg: Leg) {
        guard self.stages[leg] != .closed, !self.hasEnded[leg] else { return }
        if self.machine.closing.reads(from: leg) { self.came[leg] += piece }
        let bytes = self.relay.takeHeld(leg) + piece
        var position: Int? = 0
        while let start = position {
            let step = self.relay.next(bytes.span, from: start, leg)
            self.forward(bytes[step.forward], from: leg)
            if case .close? = step.event { self.hasClosed[leg] = true }
            if let next = step.next, step.event == nil, self.machine.closing.relays(from: leg) {
                self.takeOut(bytes[step.forward.upperBound..<next], from: leg)
            }
            if step.signs.contains(.boundary) { self.ping(leg.other) }
            if let event = step.event { self.happened(event, from: leg, bytes) }
            if let next = step.next { expect(next > start || step.event != nil, "a step that leads nowhere") }
            position = step.next
        }
    }

    private mutating func happened(_ event: Relay.Step.Event, from leg: Leg, _ bytes: [UInt8]) {
        switch event {
        case .close(let close, at: let place):
            self.perform(self.machine.received(close, from: leg), relaying: bytes[place])
        case .violation(let violation, let words):
            self.perform(self.machine.violated(violation, by: leg, self.relay.places, words))
        case .boundary: self.perform(self.machine.reachedBoundary(leg.other))
        }
    }

    private mutating func happened(_ event: ClosingHandshake.Event) {
        self.perform(self.machine.happened(event, self.relay.places))
    }

    mutating func legEnded(_ leg: Leg, inOrder: Bool) {
        guard self.stages[leg] != .closed, !self.hasEnded[leg] else { return }
        self.hasEnded[leg] = true
        let owed = self.owedAnswer
        self.happened(.ended(leg, inOrder ? .inOrder : .failed))
        self.checkAnswer(owed)
    }

    /// Our ping is due.
    mutating func ping(_ leg: Leg) {
        guard self.stages[leg] == .talking else { return }
        let payload = self.relay.ping(leg)
        self.awaitsPing[leg] = payload == nil && self.machine.closing.isOpen
        guard let payload else { return }
        expect(self.machine.closing.isOpen, "a ping for a session that ends")
        self.pings[leg].append(payload)
        let key: MaskingKey? = leg == .backend ? MaskingKey(5, 6, 7, 8) : nil
        self.sent[leg].appendPing(Frame.ping(payload, maskingKey: key)[...])
    }

    /// The pong from `leg` for our latest ping; an empty one if there is none.
    func pong(from leg: Leg) -> [UInt8] { self.pong(self.pings[leg].last ?? [], from: leg) }

    private func pong(_ payload: [UInt8], from leg: Leg) -> [UInt8] {
        Frame.pong(payload, maskingKey: leg == .client ? MaskingKey(1, 2, 3, 4) : nil)
    }

    /// `leg` is silent or stalled.
    mutating func stopResponding(_ leg: Leg, _ cause: Cause) {
        guard self.stages[leg] != .closed, !self.hasEnded[leg] else { return }
        let event = cause == .stalled(leg) ? ClosingHandshake.Event.stalled(leg) : .silent(leg)
        if self.machine.isOpen { return self.happened(event) }
        guard cause == .stalled(leg) else { return }
        let owed = self.owedAnswer
        self.happened(event)
        self.checkAnswer(owed)
    }

    /// A pong for our ping is not relayed, and answers the earlier ones.
    private mutating func takeOut(_ pong: ArraySlice<UInt8>, from leg: Leg) {
        guard !pong.isEmpty else { return }
        let answered = self.pings[leg].firstIndex { pong.elementsEqual(self.pong($0, from: leg)) }
        guard let answered else { fatalError("what is taken out is no pong of ours") }
        self.pings[leg].removeFirst(answered + 1)
        guard self.stages[leg.other] != .closed else { return }
        let start = self.sent[leg.other].relayed
        expect(self.came[leg][start...].starts(with: pong), "a pong is taken out that did not come")
        self.came[leg].removeSubrange(start..<(start + pong.count))
    }

    mutating func close(_ ending: Ending) { self.perform(self.machine.close(ending, self.relay.places)) }

    /// Every deadline of a leg that we wait for has passed.
    mutating func timeIsUp() {
        guard !self.machine.closing.isOpen else { return }
        for leg in [Leg.backend, .client] where self.stages[leg] != .closed {
            let owed = self.owedAnswer
            if self.machine.closing.awaits(leg) != .nothing { self.happened(.timeOver(leg)) }
            self.checkAnswer(owed)
        }
    }

    // MARK: - Answers

    /// The leg that has closed and waits for the other's Close; `nil` if none does.
    private var owedAnswer: Leg? {
        [Leg.client, .backend].first {
            self.machine.closing.hasClosed($0) && !self.machine.closing.hasClosed($0.other) && !self.sent[$0].hasClose
                && self.stages[$0] == .talking
        }
    }

    /// The other side failed without a Close: then `leg` must not get its own Close back.
    private func checkAnswer(_ leg: Leg?) {
        guard let leg, self.sent[leg].hasClose else { return }
        let ending = self.machine.closing.ending
        let isOurs = ending?.by == .gateway || ending?.by == .leg(leg.other)
        expect(isOurs, "a Close is presented as the answer of a side that gave none")
    }

    // MARK: - Acting

    private mutating func forward(_ bytes: ArraySlice<UInt8>, from leg: Leg) {
        guard !bytes.isEmpty, self.stages[leg] != .closed, self.stages[leg.other] != .closed else { return }
        expect(self.stages[leg.other] == .talking, "bytes for a side that has ended")
        self.expectNext(bytes, from: leg)
        self.sent[leg.other].append(bytes)
    }

    private mutating func perform(_ actions: ClosingHandshake.Actions, relaying close: ArraySlice<UInt8> = []) {
        self.relay.follow(self.machine.closing)
        for leg in [Leg.backend, .client] {
            switch actions[leg].say {
            case .nothing: break
            case .relayedClose: self.say(close, to: leg, isOurs: false)
            case .close(let close):
                expect(close.code?.isAllowedOnWire ?? true, "a code that must not be sent")
                let key: MaskingKey? = leg == .backend ? MaskingKey(5, 6, 7, 8) : nil
                self.say(Frame.close(close, maskingKey: key)[...], to: leg, isOurs: true)
            }
        }
        for leg in [Leg.backend, .client] {
            switch actions[leg].end {
            case .notYet: break
            case .wait, .shutDown, .abortDelivered: if self.stages[leg] == .talking { self.stages[leg] = .ending }
            case .close, .abort:
                self.stages[leg] = .closed
                _ = self.machine.closed(leg)
                self.relay.follow(self.machine.closing)
            }
        }
    }

    private mutating func say(_ close: ArraySlice<UInt8>, to leg: Leg, isOurs: Bool) {
        guard self.stages[leg] != .closed else { return }
        expect(self.stages[leg] == .talking, "a Close for a side that has ended")
        if !isOurs { self.expectNext(close, from: leg.other) }
        self.sent[leg].appendClose(close, isOurs: isOurs)
    }

    // MARK: - Checks

    /// `bytes` must follow what was relayed of `leg`'s so far.
    private func expectNext(_ bytes: ArraySlice<UInt8>, from leg: Leg) {
        let rest = self.came[leg][self.sent[leg.other].relayed...]
        expect(rest.starts(with: bytes), "what is relayed is not what came")
    }

    mutating func check() {
        for leg in [Leg.client, .backend] {
            let isComplete = self.hasClosed[leg] && self.sent[leg].hasClose
            expect(!isComplete || self.stages[leg] != .talking, "a leg with both Closes is not ended")
            let relayed = self.sent[leg.other].relayed
            var copy = self.relay
            let held = copy.takeHeld(leg)
            expect(held.count < 131, "more than a control frame is held")
            guard self.machine.closing.isOpen else { continue }
            expect(!self.awaitsPing[leg] || self.sent[leg].isInsideOfAFrame, "a ping waits for nothing")
            expect(
                relayed + held.count == self.came[leg].count && self.came[leg].suffix(held.count).elementsEqual(held),
                "bytes are missing")
        }
        if self.machine.closing.isOpen {
            expect(self.stages.client == .talking && self.stages.backend == .talking, "a side ended in an open session")
        }
    }

    /// Whatever came before, the gateway's end and its deadlines end the session.
    mutating func endAll() {
        self.check()
        self.close(.byGateway(.drain))
        expect(!self.machine.closing.isOpen, "the session is open after it was closed")
        // First what we wait for on each leg, then the end of its connection.
        for _ in 0..<3 { self.timeIsUp() }
        expect(self.stages.client == .closed && self.stages.backend == .closed, "a leg goes on when time is up")
        self.check()
    }
}
