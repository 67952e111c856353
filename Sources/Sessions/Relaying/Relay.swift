public import Configuration
internal import System
public import WebSocketProtocol

/// What a relay makes of the bytes that come from its two legs: which go on, what is held back, and what of it the closing handshake has to
/// know. It decides; `RelayConversation` owns the connections and acts.
public struct Relay: Sendable {
    /// What to do about some of the bytes that came from a leg: first forward, then act.
    public struct Step: Equatable, Sendable {
        /// What ends a session, or lets it end.
        public enum Event: Equatable, Sendable {
            /// A Close came, which lies there.
            case close(CloseFrame, at: Range<Int>)
            /// A rule was broken.
            ///
            /// - words: what the leg hears.
            case violation(Violation, words: String)
            /// The frame that a Close to the other leg waited for is whole.
            case boundary
        }

        /// What was among the bytes that is of interest to the heartbeats, and to the idle timeout.
        public struct Signs: OptionSet, Sendable {
            public let rawValue: UInt8

            public init(rawValue: UInt8) { self.rawValue = rawValue }

            /// Payload or a header of a data frame.
            public static let data = Signs(rawValue: 1)
            /// A ping goes on to the other leg.
            public static let ping = Signs(rawValue: 2)
            /// The pong to our latest ping; it does not go on.
            public static let answer = Signs(rawValue: 4)
            /// The frame that a ping of ours to the other leg waited for is whole: after it, that ping.
            public static let boundary = Signs(rawValue: 8)

            /// There is more than data.
            public var hasControl: Bool { self.rawValue > Self.data.rawValue }
        }

        /// Where the bytes lie that the other leg is to get, as they are.
        public var forward: Range<Int>
        /// What the closing handshake has to be told after that; `nil` in an undisturbed session.
        public var event: Event?
        public var signs = Signs()
        /// Where to go on; `nil`: everything that came was looked at.
        public var next: Int?
    }

    /// What the closing handshake lets pass, at hand: it is asked for every message, and `ClosingHandshake` is not small.
    private var flow = PerLeg(client: Flow(), backend: Flow())
    private var isOpen = true

    /// What is done with the frames of a leg.
    private struct Flow {
        /// They are looked at.
        var isRead = true
        /// They go on to the other leg.
        var isRelayed = true
        /// A Close waits for the end of a frame that is on its way to the leg.
        var awaitsBoundary = false

        init() {}

        init(of leg: Leg, _ closing: ClosingHandshake) {
            self.isRead = closing.reads(from: leg)
            self.isRelayed = closing.relays(from: leg)
            self.awaitsBoundary = closing.isWaiting(leg)
        }
    }

    private var pings: PerLeg<PingSeries>
    /// The legs that get a ping of ours when the frame in progress towards them is whole.
    private var waitingPings = PerLeg(client: false, backend: false)

    /// Reads the frames that come from each leg.
    private var readers: PerLeg<FrameReader>
    /// What is known of the text message in progress, where text is checked.
    private var texts: PerLeg<TextCheck>?
    /// The beginning of a header, or of a control frame, whose rest has not come yet.
    private var held = PerLeg<[UInt8]>(client: [], backend: [])
    /// Where text was found broken: the reader of that leg is further than what went on.
    private var brokenText: BrokenText?

    private struct BrokenText {
        let from: Leg
        /// Nothing of the frame has gone on.
        let isAtBoundary: Bool
    }

    /// - Parameters:
    ///   - limits: 0 is no limit.
    ///   - allowsCompression: whether client and backend agreed on permessage-deflate.
    ///   - checksText: whether the text that passes has to be UTF-8. Compressed text is not looked at.
    ///   - nonce: random, for our pings.
    public init(limits: Limits, allowsCompression: Bool, checksText: Bool, nonce: UInt64) {
        // A pong for a ping on the other leg is none of ours.
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

    /// What came from each leg.
    public var tally: PerLeg<MessageTally> {
        PerLeg(client: self.readers.client.tally, backend: self.readers.backend.tally)
    }

    // Mutating, though it changes nothing: it is asked for with every read, and a copy of all of this is not to be made for that.
    public mutating func tally(of leg: Leg) -> MessageTally {
        leg == .client ? self.readers.client.tally : self.readers.backend.tally
    }

    /// What reading the frames of `leg` has cost since there were `before` and so many headers.
    public mutating func work(_ leg: Leg, since before: MessageTally, headers: UInt32) -> Int {
        let now = self.tally(of: leg)
        let passed = (now.text &- before.text) &+ (now.binary &- before.binary)
        let read = self.headersRead(leg) &- headers
        return Int(truncatingIfNeeded: passed) &* Work.passedFrame &+ Int(truncatingIfNeeded: read) &* Work.frame
    }

    public mutating func headersRead(_ leg: Leg) -> UInt32 {
        leg == .client ? self.readers.client.headersRead : self.readers.backend.headersRead
    }

    // MARK: - What happens

    /// Some of a leg's bytes were held back.
    public mutating func holds(_ leg: Leg) -> Bool {
        leg == .client ? !self.held.client.isEmpty : !self.held.backend.isEmpty
    }

    /// Takes what was held back of a leg's bytes: it has to be put in front of what came.
    public mutating func takeHeld(_ leg: Leg) -> [UInt8] {
        var bytes: [UInt8] = []
        swap(&bytes, &self.held[leg])
        return bytes
    }

    /// Looks at what came from `leg`, from `start` to the end of `bytes` or to where something has to be done first.
    public mutating func next(_ bytes: Span<UInt8>, from start: Int, _ leg: Leg) -> Step {
        guard self.flow[leg].isRead else { return Step(forward: start..<start) }
        var end = bytes.count
        let isWaiting = self.isWaiting(leg.other)
        if isWaiting {
            // A Close or a ping waits for the end of the frame in progress: the rest of that frame goes on, and no more before it.
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
                // The reader found the payload valid.
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

    /// The closing handshake was told something: from now on this holds.
    public mutating func follow(_ closing: ClosingHandshake) {
        self.isOpen = closing.isOpen
        self.flow = PerLeg(client: Flow(of: .client, closing), backend: Flow(of: .backend, closing))
    }

    /// What `leg` is to be pinged with now; `nil`: it is in the middle of a frame, at whose end a step says `boundary`.
    public mutating func ping(_ leg: Leg) -> [UInt8]? {
        guard self.isOpen else { return nil }
        self.waitingPings[leg] = !self.canSend[leg]
        return self.waitingPings[leg] ? nil : self.pings[leg].next()
    }

    // MARK: - What follows

    /// What a leg is sent comes from the other leg's reader: between two of its frames there is room for one of ours.
    private var canSend: PerLeg<Bool> {
        var canSend = PerLeg(
            client: self.readers.backend.isAtFrameBoundary, backend: self.readers.client.isAtFrameBoundary)
        if let broken = self.brokenText { canSend[broken.from.other] = broken.isAtBoundary }
        return canSend
    }

    /// Where both sides' frames stand.
    public var places: ClosingHandshake.Places {
        .init(canSend: self.canSend, clientIsInsideOfMessage: !self.readers.client.isAtMessageBoundary)
    }

    /// Whether a Close or a ping of ours waits for `leg` to reach the end of a frame.
    private func isWaiting(_ leg: Leg) -> Bool { self.waitingPings[leg] || self.flow[leg].awaitsBoundary }

    /// What was read is walked: where a frame is whole, what waited for that can go.
    @inline(never)
    private mutating func reachedEnd(of leg: Leg, _ signs: inout Step.Signs) -> Step.Event? {
        guard self.readers[leg].isAtFrameBoundary else { return nil }
        if self.waitingPings[leg.other], self.isOpen { signs.insert(.boundary) }
        self.waitingPings[leg.other] = false
        guard self.flow[leg.other].awaitsBoundary else { return nil }
        self.flow[leg.other].awaitsBoundary = false
        return .boundary
    }

    /// - Parameter size: bytes of the message, as its headers say.
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

    /// The same walk, with a look at the text on the way. Nothing of a frame goes on if the part of it that is here is broken.
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
