import Configuration
import Fuzzing
import Sessions
import WebSocketProtocol

@testable import DataPlane

/// A relayed session without sockets: the real `Relay` decides, and lists of bytes stand in place of `RelayConversation`'s and
/// `Session`'s connections.
struct RelayedSession {
    private enum Stage {
        case talking
        /// Nothing more is said; what still comes is dropped.
        case ending
        case closed
    }

    private var relay: Relay
    private var stages = PerLeg(client: Stage.talking, backend: .talking)
    /// What each leg sent that was looked at, and what it was sent.
    private var came = PerLeg<[UInt8]>(client: [], backend: [])
    private var sent: PerLeg<Sent>
    private var hasEnded = PerLeg(client: false, backend: false)
    /// Which legs sent a Close that was looked at.
    private var hasClosed = PerLeg(client: false, backend: false)
    /// The payloads of our pings that were not answered.
    private var pings = PerLeg<[[UInt8]]>(client: [], backend: [])
    /// Which legs get a ping of ours at the end of a frame.
    private var awaitsPing = PerLeg(client: false, backend: false)

    init(limits: Limits, allowsCompression: Bool, checksText: Bool) {
        self.relay = Relay(
            limits: limits, allowsCompression: allowsCompression, checksText: checksText, nonce: 0x0123_4567_89AB_CDEF)
        self.sent = PerLeg(
            client: Sent(isMasked: false, mustBeText: checksText), backend: Sent(isMasked: true, mustBeText: checksText)
        )
    }

    // MARK: - What happens

    mutating func arrived(_ piece: [UInt8], from leg: Leg) {
        guard self.stages[leg] != .closed, !self.hasEnded[leg] else { return }
        if self.relay.closing.reads(from: leg) { self.came[leg] += piece }
        let bytes = self.relay.takeHeld(leg) + piece
        var position: Int? = 0
        while let start = position {
            let step = self.relay.next(bytes.span, from: start, leg)
            self.forward(bytes[step.forward], from: leg)
            if !step.close.isEmpty { self.hasClosed[leg] = true }
            if let next = step.next, step.actions == nil, self.relay.closing.relays(from: leg) {
                self.takeOut(bytes[step.forward.upperBound..<next], from: leg)
            }
            if step.signs.contains(.boundary) { self.ping(leg.other) }
            if let actions = step.actions { self.perform(actions, relaying: bytes[step.close]) }
            if let next = step.next { expect(next > start || step.actions != nil, "a step that leads nowhere") }
            position = step.next
        }
    }

    mutating func legEnded(_ leg: Leg, inOrder: Bool) {
        guard self.stages[leg] != .closed, !self.hasEnded[leg] else { return }
        self.hasEnded[leg] = true
        let owed = self.owedAnswer
        self.perform(self.relay.happened(.ended(leg, inOrder: inOrder)))
        self.checkAnswer(owed)
    }

    /// A ping of ours is due.
    mutating func ping(_ leg: Leg) {
        guard self.stages[leg] == .talking else { return }
        let payload = self.relay.ping(leg)
        self.awaitsPing[leg] = payload == nil && self.relay.closing.isOpen
        guard let payload else { return }
        expect(self.relay.closing.isOpen, "a ping for a session that ends")
        self.pings[leg].append(payload)
        let key: MaskingKey? = leg == .backend ? MaskingKey(5, 6, 7, 8) : nil
        self.sent[leg].appendPing(Frame.ping(payload, maskingKey: key)[...])
    }

    /// The pong that `leg` sends for our latest ping; without one, an empty one.
    func pong(from leg: Leg) -> [UInt8] { self.pong(self.pings[leg].last ?? [], from: leg) }

    private func pong(_ payload: [UInt8], from leg: Leg) -> [UInt8] {
        Frame.pong(payload, maskingKey: leg == .client ? MaskingKey(1, 2, 3, 4) : nil)
    }

    /// `leg` is given up: it is silent, or takes nothing.
    mutating func giveUp(_ leg: Leg, _ cause: Cause) {
        guard self.stages[leg] != .closed, !self.hasEnded[leg] else { return }
        if self.relay.closing.isOpen { return self.perform(self.relay.happened(.lost(leg, cause))) }
        guard cause == .stalled(leg) else { return }
        let owed = self.owedAnswer
        self.perform(self.relay.happened(.stalled(leg)))
        self.checkAnswer(owed)
    }

    /// The pong to a ping of ours is not relayed, and answers the earlier ones.
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

    mutating func close(_ ending: Ending) { self.perform(self.relay.close(ending)) }

    /// All times are over for each leg that is waited for.
    mutating func timeIsUp() {
        guard !self.relay.closing.isOpen else { return }
        for leg in [Leg.backend, .client] where self.stages[leg] != .closed {
            let owed = self.owedAnswer
            switch self.relay.closing.awaits(leg) {
            case .nothing: continue
            case .boundary: self.perform(self.relay.happened(.unfinished(leg)))
            case .close: self.perform(self.relay.happened(.unanswered(leg)))
            case .end: self.stages[leg] = .closed
            }
            self.checkAnswer(owed)
        }
    }

    // MARK: - Answers

    /// The leg that has closed and waits for the other's Close; `nil`: none does.
    private var owedAnswer: Leg? {
        [Leg.client, .backend].first {
            self.relay.closing.hasClosed($0) && !self.relay.closing.hasClosed($0.other) && !self.sent[$0].hasClose
                && self.stages[$0] == .talking
        }
    }

    /// The other side failed, and did not close: whatever `leg` was told, it was not its own Close back.
    private func checkAnswer(_ leg: Leg?) {
        guard let leg, self.sent[leg].hasClose else { return }
        let ending = self.relay.closing.ending
        let isOurs = ending?.by == .gateway || ending?.by == .leg(leg.other)
        expect(isOurs, "a Close is presented as the answer of a side that gave none")
    }

    // MARK: - What is done

    private mutating func forward(_ bytes: ArraySlice<UInt8>, from leg: Leg) {
        guard !bytes.isEmpty, self.stages[leg] != .closed, self.stages[leg.other] != .closed else { return }
        expect(self.stages[leg.other] == .talking, "bytes for a side that has ended")
        self.expectNext(bytes, from: leg)
        self.sent[leg.other].append(bytes)
    }

    private mutating func perform(_ actions: ClosingHandshake.Actions, relaying close: ArraySlice<UInt8> = []) {
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
            case .close, .abort: self.stages[leg] = .closed
            }
        }
    }

    private mutating func say(_ close: ArraySlice<UInt8>, to leg: Leg, isOurs: Bool) {
        guard self.stages[leg] != .closed else { return }
        expect(self.stages[leg] == .talking, "a Close for a side that has ended")
        if !isOurs { self.expectNext(close, from: leg.other) }
        self.sent[leg].appendClose(close, isOurs: isOurs)
    }

    // MARK: - What must hold

    /// `bytes` are those that follow what was relayed of `leg`'s so far.
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
            guard self.relay.closing.isOpen else { continue }
            expect(!self.awaitsPing[leg] || self.sent[leg].isInsideOfAFrame, "a ping waits for nothing")
            expect(
                relayed + held.count == self.came[leg].count && self.came[leg].suffix(held.count).elementsEqual(held),
                "bytes are missing")
        }
        if self.relay.closing.isOpen {
            expect(self.stages.client == .talking && self.stages.backend == .talking, "a side ended in an open session")
        }
    }

    /// Whatever came before: the gateway's own end and its deadline end the session.
    mutating func finish() {
        self.check()
        self.close(.byGateway(.drain))
        expect(!self.relay.closing.isOpen, "the session is open after it was closed")
        // First what each is waited for, then the end of its connection.
        for _ in 0..<3 { self.timeIsUp() }
        expect(self.stages.client == .closed && self.stages.backend == .closed, "a leg goes on when time is up")
        self.check()
    }
}
