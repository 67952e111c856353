import Fuzzing
import WebSocketProtocol

@testable import Proxy

/// What `RelayConversation` and `Session` do with frames, Closes and ends, without sockets: with the same readers and the same
/// closing handshakes, and lists of bytes in place of connections.
struct Relay {
    private enum Stage {
        case talking
        /// Our side has ended; what still comes is dropped.
        case lingering
        case closed
    }

    private(set) var closing = ClosingHandshake(hasBackend: true)
    private var readers: PerLeg<FrameReader>
    private var held = PerLeg<[UInt8]>(client: [], backend: [])
    private var stages = PerLeg(client: Stage.talking, backend: .talking)
    /// What each leg sent that was looked at, and what it was sent.
    private var came = PerLeg<[UInt8]>(client: [], backend: [])
    private var sent: PerLeg<Sent>
    /// Which legs sent a Close.
    private var hasClosed = PerLeg(client: false, backend: false)

    init(allowsCompression: Bool, maximumMessage: Int, maximumFragments: Int) {
        func reader(expectsMask: Bool) -> FrameReader {
            FrameReader(
                rules: .init(
                    expectsMask: expectsMask, allowsCompression: allowsCompression, maximumMessage: maximumMessage,
                    maximumFragments: maximumFragments))
        }
        self.readers = PerLeg(client: reader(expectsMask: true), backend: reader(expectsMask: false))
        self.sent = PerLeg(client: Sent(isMasked: false), backend: Sent(isMasked: true))
    }

    // MARK: - What happens

    mutating func arrived(_ bytes: [UInt8], from leg: Leg) {
        guard self.stages[leg] == .talking, self.closing.reads(from: leg) else { return }
        self.came[leg] += bytes
        let bytes = self.held[leg] + bytes
        self.held[leg] = []
        var start = 0
        if self.closing.isWaiting(leg.other) { start = self.finishFrame(in: bytes, from: leg) }
        var position = start
        while true {
            let walk = self.readers[leg].walk(bytes.span, from: position)
            switch walk.stop {
            case .control(let frame) where frame.opcode == .close:
                self.forward(bytes[start..<walk.end], from: leg)
                guard let close = try? CloseFrame(payload: frame.payload(in: bytes.span).span) else {
                    fatalError("the reader let a bad Close through")
                }
                self.hasClosed[leg] = true
                self.perform(self.closing.received(close, from: leg), relaying: bytes[frame.range])
                expect(!self.closing.reads(from: leg), "frames are read after a Close")
                return
            case .control(let frame):
                position = frame.range.upperBound
            case .end:
                self.forward(bytes[start..<walk.end], from: leg)
                return self.reachedEnd(of: leg)
            case .incomplete:
                self.forward(bytes[start..<walk.end], from: leg)
                self.held[leg] = Array(bytes[walk.end...])
                return self.reachedEnd(of: leg)
            case .violation(let violation):
                self.forward(bytes[start..<walk.end], from: leg)
                return self.perform(self.closing.violated(violation, by: leg, canSend: self.canSend))
            }
        }
    }

    mutating func legEnded(_ leg: Leg) {
        switch self.stages[leg] {
        case .talking: self.perform(self.closing.ended(leg, canSend: self.canSend))
        case .lingering: self.stages[leg] = .closed
        case .closed: break
        }
    }

    mutating func close(_ ending: Ending) {
        self.perform(self.closing.close(ending, canSend: self.canSend))
    }

    /// The deadline of the closing handshake.
    mutating func timeIsUp() {
        guard !self.closing.isOpen else { return }
        for leg in [Leg.client, .backend] where self.stages[leg] == .lingering {
            self.stages[leg] = .closed
        }
        self.perform(self.closing.timedOut(canSend: self.canSend))
        expect(self.stages.client != .talking && self.stages.backend != .talking, "a leg goes on when time is up")
    }

    // MARK: - What is done

    private mutating func finishFrame(in bytes: [UInt8], from leg: Leg) -> Int {
        let end = min(bytes.count, self.readers[leg].remainingInFrame)
        let walk = self.readers[leg].walk(bytes.span.extracting(0..<end), from: 0)
        self.forward(bytes[..<walk.end], from: leg)
        self.reachedEnd(of: leg)
        return walk.end
    }

    private mutating func reachedEnd(of leg: Leg) {
        if self.closing.isWaiting(leg.other), self.readers[leg].isAtFrameBoundary {
            self.perform(self.closing.reachedBoundary(leg.other))
        }
    }

    private var canSend: PerLeg<Bool> {
        PerLeg(client: self.readers.backend.isAtFrameBoundary, backend: self.readers.client.isAtFrameBoundary)
    }

    private mutating func forward(_ bytes: ArraySlice<UInt8>, from leg: Leg) {
        guard !bytes.isEmpty, self.closing.relays(from: leg) else { return }
        guard self.stages[leg] != .closed, self.stages[leg.other] != .closed else { return }
        expect(self.stages[leg.other] == .talking, "bytes for a side that has ended")
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
        self.sent[leg].appendClose(close, isOurs: isOurs)
    }

    // MARK: - What must hold

    mutating func check() {
        for leg in [Leg.client, .backend] {
            let isComplete = self.hasClosed[leg] && self.sent[leg].hasClose
            expect(!isComplete || self.stages[leg] != .talking, "a leg with both Closes is not ended")
            let relayed = self.sent[leg.other].relayed
            expect(self.came[leg].starts(with: relayed), "what is relayed is not what came")
            guard self.closing.isOpen else { continue }
            expect(relayed.count + self.held[leg].count == self.came[leg].count, "bytes are missing")
        }
        if self.closing.isOpen {
            expect(self.stages.client == .talking && self.stages.backend == .talking, "a side ended in an open session")
        }
    }

    /// Whatever came before: the gateway's own end and its deadline end the session.
    mutating func finish() {
        self.check()
        self.close(.byGateway(.drain))
        expect(!self.closing.isOpen, "the session is open after it was closed")
        self.timeIsUp()
        self.check()
    }
}
