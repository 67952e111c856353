internal import Configuration
internal import EventLoop
internal import WebSocketProtocol

/// WebSocket to WebSocket, frame by frame, without copying: the headers of what came from one leg are walked where they lie in
/// the worker's buffer, and the same bytes go to the other leg.
final class RelayConversation: Conversation {
    let phase = Phase.relay
    private(set) var closing = ClosingHandshake(hasBackend: true)
    private(set) var detail: String?

    private unowned let session: Session
    /// Reads the frames that come from each leg.
    private var readers: PerLeg<FrameReader>
    /// Set where the route says `utf8: check`: what is known of the text message in progress.
    private var validators: PerLeg<UTF8Validator>?
    /// False if the text that was found broken is in a frame whose beginning has gone on already.
    private var brokeAtBoundary = true
    /// The beginning of a header, or of a control frame, whose rest has not come yet.
    private var held = PerLeg<[UInt8]>(client: [], backend: [])

    init(_ session: Session, allowsCompression: Bool) {
        self.session = session
        if session.route?.settings.utf8 == .check {
            self.validators = PerLeg(client: UTF8Validator(), backend: UTF8Validator())
        }
        let limits = session.route?.settings.limits ?? Limits()
        self.readers = PerLeg(
            client: FrameReader(
                rules: .init(
                    expectsMask: true, allowsCompression: allowsCompression,
                    maximumMessage: limits.message.rawValue, maximumFragments: limits.fragments)),
            backend: FrameReader(
                rules: .init(
                    expectsMask: false, allowsCompression: allowsCompression,
                    maximumMessage: limits.backendMessage.rawValue, maximumFragments: limits.backendFragments)))
    }

    var tally: PerLeg<MessageTally> { PerLeg(client: self.readers.client.tally, backend: self.readers.backend.tally) }

    func begin() {}

    // MARK: - What happens

    func received(_ range: Range<Int>, from leg: Leg) {
        guard self.closing.reads(from: leg) else { return }
        let buffers = self.session.worker.buffers
        let bytes = self.held[leg].isEmpty ? range : buffers.prepend(self.held[leg], to: range)
        self.held[leg] = []
        // Everything before `position` was walked; everything from `start` to there is to be forwarded.
        var start = bytes.lowerBound
        var position = start
        if self.closing.isWaiting(leg.other) {
            start = self.finishFrame(in: bytes, from: leg)
            position = start
        }
        while true {
            let walk = self.walk(0..<bytes.upperBound, from: position, leg)
            switch walk.stop {
            case .control(let frame) where frame.opcode == .close:
                self.forward(start..<walk.end, from: leg)
                self.receivedClose(frame, from: leg)
                guard self.closing.reads(from: leg) else { return }
                start = frame.range.upperBound
                position = start
            case .control(let frame):
                position = frame.range.upperBound
            case .end:
                self.forward(start..<walk.end, from: leg)
                return self.reachedEnd(of: leg)
            case .incomplete:
                self.forward(start..<walk.end, from: leg)
                self.held[leg] = buffers.copy(walk.end..<bytes.upperBound)
                return self.reachedEnd(of: leg)
            case .violation(let violation):
                self.forward(start..<walk.end, from: leg)
                self.detail = violation.description
                var canSend = self.canSend
                if !self.brokeAtBoundary { canSend[leg.other] = false }
                return self.perform(self.closing.violated(violation, by: leg, canSend: canSend))
            }
        }
    }

    // MARK: - Walking

    private func walk(_ range: Range<Int>, from start: Int, _ leg: Leg) -> FrameReader.Walk {
        let plaintext = self.session.worker.buffers.plaintext
        let bytes = plaintext.span.extracting(range)
        guard self.validators != nil else { return self.readers[leg].walk(bytes, from: start) }
        return self.walkThroughText(bytes, from: start, leg)
    }

    /// The same walk, with a look at the text on the way. Nothing of a frame goes on if the part of it that is here is broken.
    private func walkThroughText(_ bytes: Span<UInt8>, from start: Int, _ leg: Leg) -> FrameReader.Walk {
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
                    self.brokeAtBoundary = beginsFrame
                    return .init(end: before, stop: .violation(.invalidUTF8))
                }
            }
        }
    }

    private func isText(_ part: FrameReader.DataPart, _ bytes: Span<UInt8>, _ leg: Leg) -> Bool {
        guard part.messageOpcode == .text, !part.isCompressed, var validator = self.validators?[leg] else {
            return true
        }
        let isValid = validator.consume(bytes.extracting(part.range), maskingKey: part.maskingKey)
        let isWhole = !part.isFinal || validator.isComplete
        self.validators?[leg] = part.isFinal ? UTF8Validator() : validator
        return isValid && isWhole
    }

    /// A Close waits for the end of the frame in progress: lets the rest of that frame go, and no more before the Close.
    ///
    /// - Returns: where the frame ends.
    private func finishFrame(in bytes: Range<Int>, from leg: Leg) -> Int {
        let end = bytes.lowerBound + min(bytes.count, self.readers[leg].remainingInFrame)
        let walk = self.walk(0..<end, from: bytes.lowerBound, leg)
        self.forward(bytes.lowerBound..<walk.end, from: leg)
        self.reachedEnd(of: leg)
        return walk.end
    }

    private func receivedClose(_ frame: ControlFrame, from leg: Leg) {
        let plaintext = self.session.worker.buffers.plaintext
        // The reader found the payload valid.
        guard let close = try? CloseFrame(payload: frame.payload(in: plaintext.span).span) else { return }
        self.perform(self.closing.received(close, from: leg), relaying: frame.range)
    }

    /// What was read is walked: where a frame is whole, a Close that waited for that can go.
    private func reachedEnd(of leg: Leg) {
        if self.closing.isWaiting(leg.other), self.readers[leg].isAtFrameBoundary {
            self.perform(self.closing.reachedBoundary(leg.other))
        }
    }

    func ended(_ leg: Leg, failure: String?) {
        if self.closing.isOpen { self.detail = failure }
        self.perform(self.closing.ended(leg, canSend: self.canSend))
    }

    func drained(_ leg: Leg) { self.session.resume(leg.other) }

    func close(_ ending: Ending) { self.perform(self.closing.close(ending, canSend: self.canSend)) }

    func timerFired() { self.perform(self.closing.timedOut(canSend: self.canSend)) }

    // MARK: - What is done

    /// What a leg is sent comes from the other leg's reader: between two of its frames there is room for one of ours.
    private var canSend: PerLeg<Bool> {
        PerLeg(client: self.readers.backend.isAtFrameBoundary, backend: self.readers.client.isAtFrameBoundary)
    }

    private func forward(_ range: Range<Int>, from leg: Leg) {
        guard !range.isEmpty, self.closing.relays(from: leg) else { return }
        guard let target = self.session.transport(leg.other), let source = self.session.transport(leg) else { return }
        let plaintext = self.session.worker.buffers.plaintext
        target.send(plaintext.span.extracting(range))
        if self.session.isAboveHighWater(target) { source.pause() }
    }

    private func perform(_ actions: ClosingHandshake.Actions, relaying range: Range<Int> = 0..<0) {
        if !self.closing.isOpen { self.session.beginClosing() }
        let plaintext = self.session.worker.buffers.plaintext
        for leg in [Leg.backend, .client] {
            switch actions[leg].say {
            case .nothing: break
            case .relayedClose:
                self.session.transport(leg)?.send(plaintext.span.extracting(range))
            case .close(let close):
                let key: MaskingKey? = leg == .backend ? .random : nil
                self.session.transport(leg)?.send(Frame.close(close, maskingKey: key).span)
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
