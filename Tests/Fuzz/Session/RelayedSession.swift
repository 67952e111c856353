import Configuration
import Fuzzing
import WebSocketProtocol

@testable import Proxy

/// A relayed session without sockets: the real `Relay` decides, and lists of bytes stand in place of `RelayConversation`'s and
/// `Session`'s connections.
struct RelayedSession {
    private enum Stage {
        case talking
        /// Our side has ended; what still comes is dropped.
        case lingering
        case closed
    }

    private var relay: Relay
    private var stages = PerLeg(client: Stage.talking, backend: .talking)
    /// What each leg sent that was looked at, and what it was sent.
    private var came = PerLeg<[UInt8]>(client: [], backend: [])
    private var sent: PerLeg<Sent>
    /// Which legs sent a Close that was looked at.
    private var hasClosed = PerLeg(client: false, backend: false)

    init(limits: Limits, allowsCompression: Bool, checksText: Bool) {
        self.relay = Relay(limits: limits, allowsCompression: allowsCompression, checksText: checksText)
        self.sent = PerLeg(
            client: Sent(isMasked: false, mustBeText: checksText), backend: Sent(isMasked: true, mustBeText: checksText)
        )
    }

    // MARK: - What happens

    mutating func arrived(_ piece: [UInt8], from leg: Leg) {
        guard self.stages[leg] == .talking else { return }
        if self.relay.closing.reads(from: leg) { self.came[leg] += piece }
        let bytes = self.relay.takeHeld(leg) + piece
        var position: Int? = 0
        while let start = position {
            let step = self.relay.next(bytes.span, from: start, leg)
            self.forward(bytes[step.forward], from: leg)
            if !step.close.isEmpty { self.hasClosed[leg] = true }
            if let actions = step.actions { self.perform(actions, relaying: bytes[step.close]) }
            if let next = step.next { expect(next > start || step.actions != nil, "a step that leads nowhere") }
            position = step.next
        }
    }

    mutating func legEnded(_ leg: Leg) {
        switch self.stages[leg] {
        case .talking: self.perform(self.relay.ended(leg))
        case .lingering: self.stages[leg] = .closed
        case .closed: break
        }
    }

    mutating func close(_ ending: Ending) { self.perform(self.relay.close(ending)) }

    /// The deadline of the closing handshake.
    mutating func timeIsUp() {
        guard !self.relay.closing.isOpen else { return }
        for leg in [Leg.client, .backend] where self.stages[leg] == .lingering {
            self.stages[leg] = .closed
        }
        self.perform(self.relay.timedOut())
        expect(self.stages.client != .talking && self.stages.backend != .talking, "a leg goes on when time is up")
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
            case .finish: if self.stages[leg] == .talking { self.stages[leg] = .lingering }
            case .cut: self.stages[leg] = .closed
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
        self.timeIsUp()
        self.check()
    }
}
