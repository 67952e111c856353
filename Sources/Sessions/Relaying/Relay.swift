public import Configuration
internal import System
public import WebSocketProtocol

/// What a relay does with the bytes from its two legs: which are forwarded, which are held back, and what the closing handshake has to
/// know. It decides; `RelayConversation` owns the connections and acts.
public struct Relay: Sendable {
    /// What to do about some of the bytes from a leg: first forward, then handle `event` and `signs`.
    public struct Step: Equatable, Sendable {
        /// What ends a session, or lets it end.
        public enum Event: Equatable, Sendable {
            /// A Close came; its frame is at these positions.
            case close(CloseFrame, at: Range<Int>)
            /// A rule was broken.
            ///
            /// - words: the reason that the leg is told.
            case violation(Violation, words: String)
            /// The frame that a Close to the other leg waited for is whole.
            case boundary
        }

        /// What the heartbeats and the idle timeout have to know of the bytes.
        public struct Signs: OptionSet, Sendable {
            /// The bits of the set.
            public let rawValue: UInt8

            /// The set with these bits.
            public init(rawValue: UInt8) { self.rawValue = rawValue }

            /// Bytes of a data frame: its header or payload.
            public static let data = Signs(rawValue: 1)
            /// A ping is forwarded to the other leg.
            public static let ping = Signs(rawValue: 2)
            /// The pong for our latest ping came; it is not forwarded.
            public static let answer = Signs(rawValue: 4)
            /// The frame that our ping to the other leg waited for is whole: send that ping after it.
            public static let boundary = Signs(rawValue: 8)

            /// There is more than data.
            public var hasControl: Bool { self.rawValue > Self.data.rawValue }
        }

        /// The positions of the bytes to forward unchanged to the other leg.
        public var forward: Range<Int>
        /// What to tell the closing handshake after that; `nil` in an undisturbed session.
        public var event: Event?
        /// What to tell the heartbeats and the idle timeout.
        public var signs = Signs()
        /// Where to continue; `nil` if everything that came was read.
        public var next: Int?
    }

    /// A copy of what the closing handshake allows: every message asks for it, and `ClosingHandshake` is not small.
    private var flow = PerLeg(client: Flow(), backend: Flow())
    private var isOpen = true

    /// What is done with the frames from a leg.
    private struct Flow {
        var isRead = true
        /// They are forwarded to the other leg.
        var isRelayed = true
        /// A Close to this leg waits for the end of the frame that is being relayed to it.
        var awaitsBoundary = false

        init() {}

        init(of leg: Leg, _ closing: ClosingHandshake) {
            self.isRead = closing.reads(from: leg)
            self.isRelayed = closing.relays(from: leg)
            self.awaitsBoundary = closing.isWaiting(leg)
        }
    }

    private var pings: PerLeg<PingSeries>
    /// The legs that get our ping when the frame that is being relayed to them is whole.
    private var waitingPings = PerLeg(client: false, backend: false)

    /// Each reads the frames from its leg.
    private var readers: PerLeg<FrameReader>
    /// The check of the text message in progress; `nil` if text is not checked.
    private var texts: PerLeg<TextCheck>?
    /// The beginning of an incomplete header or control frame.
    private var held = PerLeg<[UInt8]>(client: [], backend: [])
    /// Where invalid text was found: that leg's reader is ahead of what was forwarded.
    private var brokenText: BrokenText?

    private struct BrokenText {
        let from: Leg
        /// Nothing of the frame was forwarded.
        let isAtBoundary: Bool
    }

    /// - Parameters:
    ///   - limits: 0 is no limit.
    ///   - allowsCompression: whether client and backend agreed on permessage-deflate (RFC 7692).
    ///   - checksText: whether text has to be UTF-8. Compressed text is not checked.
    ///   - nonce: random, for our pings.
    public init(limits: Limits, allowsCompression: Bool, checksText: Bool, nonce: UInt64) {
        // Different nonces: a pong for a ping on the other leg must not count as ours.
        self.pings = PerLeg(client: PingSeries(nonce: nonce), backend: PingSeries(nonce: ~nonce))
        self.readers = PerLeg(
            client: FrameReader(
                rules: .init(
                    expectsMask: true, allowsCompression: allowsCompression,
                    maximumMessage: limits.message.rawValue, maximumFragments: limits.fragments)),
            backend: FrameReader(
                rules: .init(
                    expectsMask: false, allowsCompression: allowsCompression,
                    maximumMessage: limits.backendMessage.rawValue, maximumFragments: limits.backendFragments)))
        if checksText { self.texts = PerLeg(client: TextCheck(), backend: TextCheck()) }
    }

    /// The messages that came from each leg.
    public var tally: PerLeg<MessageTally> {
        PerLeg(client: self.readers.client.tally, backend: self.readers.backend.tally)
    }

    /// The messages that came from `leg`. Mutating only so that the call, one for every read, does not copy the whole struct.
    public mutating func tally(of leg: Leg) -> MessageTally {
        leg == .client ? self.readers.client.tally : self.readers.backend.tally
    }

    /// What reading the frames from `leg` has cost, in units of `Work`, since its counts were `before` and `headers`.
    public mutating func work(_ leg: Leg, since before: MessageTally, headers: UInt32) -> Int {
        let now = self.tally(of: leg)
        let passed = (now.text &- before.text) &+ (now.binary &- before.binary)
        let read = self.headersRead(leg) &- headers
        return Int(truncatingIfNeeded: passed) &* Work.passedFrame &+ Int(truncatingIfNeeded: read) &* Work.frame
    }

    /// How many frame headers from `leg` were read; it wraps.
    public mutating func headersRead(_ leg: Leg) -> UInt32 {
        leg == .client ? self.readers.client.headersRead : self.readers.backend.headersRead
    }

    // MARK: - What happens

    /// Whether some of the leg's bytes are held back.
    public mutating func holds(_ leg: Leg) -> Bool {
        leg == .client ? !self.held.client.isEmpty : !self.held.backend.isEmpty
    }

    /// Takes the leg's bytes that were held back: put them before those that come next.
    public mutating func takeHeld(_ leg: Leg) -> [UInt8] {
        var bytes: [UInt8] = []
        swap(&bytes, &self.held[leg])
        return bytes
    }

    /// The leg's bytes that are held back.
    public func held(_ leg: Leg) -> [UInt8] { self.held[leg] }

    /// The kind of the leg's message in progress; `nil` between messages.
    public func message(_ leg: Leg) -> FrameReader.MessageKind? { self.readers[leg].message }

    /// How many bytes of the leg's frame in progress are still to come.
    public func remainingInFrame(_ leg: Leg) -> Int { self.readers[leg].remainingInFrame }

    /// Reads what came from `leg`, from `start` to the end of `bytes` or to where something has to be done first.
    public mutating func next(_ bytes: Span<UInt8>, from start: Int, _ leg: Leg) -> Step {
        guard self.flow[leg].isRead else { return Step(forward: start..<start) }
        var end = bytes.count
        let isWaiting = self.isWaiting(leg.other)
        if isWaiting {
            // A Close or a ping waits for the end of the frame in progress: forward the rest of that frame only.
            end = start + min(end - start, self.readers[leg].remainingInFrame)
        }
        var position = start
        var signs = Step.Signs()
        while true {
            let walk = self.walk(bytes.extracting(0..<end), from: position, leg)
            let forward = self.flow[leg].isRelayed ? start..<walk.end : start..<start
            if walk.end > position { signs.insert(.data) }
            switch walk.stop {
            case .end:
                let next = end < bytes.count ? end : nil
                let event = isWaiting ? self.reachedEnd(of: leg, &signs) : nil
                return Step(forward: forward, event: event, signs: signs, next: next)
            case .incomplete:
                Masking.appendXored(bytes.extracting(walk.end..<end), with: nil, to: &self.held[leg])
                let event = isWaiting ? self.reachedEnd(of: leg, &signs) : nil
                return Step(forward: forward, event: event, signs: signs)
            case .control(let frame) where frame.opcode == .close:
                // It does not throw: the reader has checked the payload.
                guard let close = try? CloseFrame(payload: frame.payload(in: bytes).span) else {
                    return Step(forward: forward)
                }
                return Step(forward: forward, event: .close(close, at: frame.range), signs: signs)
            case .control(let frame) where frame.opcode == .pong:
                switch self.pings[leg].received(frame, in: bytes) {
                case .foreign: break
                case .latest:
                    signs.insert(.answer)
                    fallthrough
                case .earlier: return Step(forward: forward, signs: signs, next: frame.range.upperBound)
                }
                position = frame.range.upperBound
            case .control(let frame):
                if self.flow[leg].isRelayed { signs.insert(.ping) }
                position = frame.range.upperBound
            case .violation(let violation):
                let size = self.readers[leg].messageLength(with: bytes, at: walk.end)
                return Step(forward: forward, event: self.violated(violation, by: leg, size: size), signs: signs)
            }
        }
    }

    /// The closing handshake has changed: follow what it allows now.
    public mutating func follow(_ closing: ClosingHandshake) {
        self.isOpen = closing.isOpen
        self.flow = PerLeg(client: Flow(of: .client, closing), backend: Flow(of: .backend, closing))
    }

    /// The payload of a ping to send to `leg` now. `nil` in the middle of a frame; the step at the end of that frame has `boundary`.
    public mutating func ping(_ leg: Leg) -> [UInt8]? {
        guard self.isOpen else { return nil }
        self.waitingPings[leg] = !self.canSend[leg]
        return self.waitingPings[leg] ? nil : self.pings[leg].next()
    }

    // MARK: - What follows

    /// What a leg is sent comes from the other leg: between two frames of that one's reader there is room for one of ours.
    private var canSend: PerLeg<Bool> {
        var canSend = PerLeg(
            client: self.readers.backend.isAtFrameBoundary, backend: self.readers.client.isAtFrameBoundary)
        if let broken = self.brokenText { canSend[broken.from.other] = broken.isAtBoundary }
        return canSend
    }

    /// Where both sides are in their frames.
    public var places: ClosingHandshake.Places {
        .init(canSend: self.canSend, clientIsInsideOfMessage: !self.readers.client.isAtMessageBoundary)
    }

    /// Whether our Close or ping to `leg` waits for the end of a frame.
    private func isWaiting(_ leg: Leg) -> Bool { self.waitingPings[leg] || self.flow[leg].awaitsBoundary }

    /// If a frame has just become whole, what waited for its end can be sent.
    @inline(never)
    private mutating func reachedEnd(of leg: Leg, _ signs: inout Step.Signs) -> Step.Event? {
        guard self.readers[leg].isAtFrameBoundary else { return nil }
        if self.waitingPings[leg.other], self.isOpen { signs.insert(.boundary) }
        self.waitingPings[leg.other] = false
        guard self.flow[leg.other].awaitsBoundary else { return nil }
        self.flow[leg.other].awaitsBoundary = false
        return .boundary
    }

    /// - Parameter size: the bytes of the message, according to its headers.
    private mutating func violated(_ violation: Violation, by leg: Leg, size: Int?) -> Step.Event {
        let rules = self.readers[leg].rules
        let words = violation.words(
            by: leg, size: size, message: rules.maximumMessage, fragments: rules.maximumFragments)
        return .violation(violation, words: words)
    }

    // MARK: - Walking

    private mutating func walk(_ bytes: Span<UInt8>, from start: Int, _ leg: Leg) -> FrameReader.Walk {
        guard self.texts != nil else { return self.readers[leg].walk(bytes, from: start) }
        return self.walkThroughText(bytes, from: start, leg)
    }

    /// The same walk, with a check of the text. Nothing of the frame's part that is here is forwarded if it is invalid.
    private mutating func walkThroughText(_ bytes: Span<UInt8>, from start: Int, _ leg: Leg) -> FrameReader.Walk {
        var position = start
        while true {
            let before = position
            let beginsFrame = self.readers[leg].isAtFrameBoundary
            switch self.readers[leg].next(bytes, at: &position) {
            case .end: return .init(end: position, stop: .end)
            case .incomplete: return .init(end: position, stop: .incomplete)
            case .violation(let violation): return .init(end: position, stop: .violation(violation))
            case .control(let frame): return .init(end: frame.range.lowerBound, stop: .control(frame))
            case .data(let part):
                guard self.isText(part, bytes, leg) else {
                    self.brokenText = BrokenText(from: leg, isAtBoundary: beginsFrame)
                    return .init(end: before, stop: .violation(.invalidUTF8))
                }
            }
        }
    }

    private mutating func isText(_ part: FrameReader.DataPart, _ bytes: Span<UInt8>, _ leg: Leg) -> Bool {
        part.isCompressed || self.texts?[leg].accepts(part, in: bytes, maskingKey: part.maskingKey) ?? true
    }
}
