internal import Sessions
internal import System
internal import WebSocketProtocol

/// What one tail sees of one session.
final class SessionTail {
    let tail: Tail
    private let session: SessionID
    /// Compressed messages end at the gateway and are shown inflated, not as they come.
    private let inflates: Bool
    /// What comes from each leg; `nil` until it is known where that leg is in its frames.
    private var legs = PerLeg<Incoming?>(client: nil, backend: nil)
    /// The inflated message in progress.
    private var message: FrameGathering?
    /// What is sent to the control thread next.
    private var news: [Tail.News] = []

    /// The frames that come from one leg.
    private struct Incoming {
        var observer: FrameObserver
        /// The kind of the message in progress.
        var message: FrameReader.MessageKind?
        /// The frame in progress; `nil` if it is not shown.
        var frame: FrameGathering?
    }

    init(_ tail: Tail, of session: SessionID, inflates: Bool) {
        self.tail = tail
        self.session = session
        self.inflates = inflates
    }

    // MARK: - What comes

    func follows(_ leg: Leg) -> Bool { self.legs[leg] != nil }

    /// From now on frames from `leg` are shown; the frame in progress there is not.
    func follow(_ leg: Leg, at place: FramePlace) {
        self.legs[leg] = Incoming(observer: FrameObserver(skipping: place.remaining), message: place.message)
        self.received(place.held.span, from: leg, showsData: true)
    }

    /// Bytes came from `leg`.
    ///
    /// - Parameter showsData: whether messages from it still go anywhere.
    func received(_ bytes: Span<UInt8>, from leg: Leg, showsData: Bool) {
        guard var incoming = self.legs[leg] else { return }
        // One reference to what it gathers: it is changed in place.
        self.legs[leg] = nil
        let now = WallClock.sinceEpoch()
        var position = 0
        while let part = incoming.observer.next(bytes, at: &position) {
            if part.isFirst {
                let isShown = part.header.opcode.isControl || showsData
                incoming.frame = self.begin(part.header, &incoming.message, from: leg, at: now, isShown)
            }
            incoming.frame?.append(bytes.extracting(part.range), part.maskingKey)
            guard part.isLast else { continue }
            incoming.frame?.end(&self.news)
            incoming.frame = nil
            if part.header.fin, !part.header.opcode.isControl { incoming.message = nil }
        }
        self.legs[leg] = incoming
    }

    /// - Returns: `nil` if the frame is not shown.
    private func begin(
        _ header: FrameHeader, _ message: inout FrameReader.MessageKind?, from leg: Leg, at time: Duration,
        _ isShown: Bool
    ) -> FrameGathering? {
        if [.text, .binary].contains(header.opcode) {
            message = .init(opcode: header.opcode, isCompressed: header.rsv1)
        }
        let kind = header.opcode.isControl ? nil : message
        let isCompressed = kind?.isCompressed ?? false
        guard isShown, !(isCompressed && self.inflates) else { return nil }
        return self.gathering(
            at: time, .init(from: leg), header.opcode, fin: header.fin, size: header.payloadLength,
            isCompressed: isCompressed, isBinary: kind?.opcode == .binary || header.opcode == .close)
    }

    private func gathering(
        at time: Duration, _ direction: TailedFrame.Direction, _ opcode: Opcode, fin: Bool, size: Int,
        isCompressed: Bool = false, isBinary: Bool, isGateways: Bool = false
    ) -> FrameGathering {
        FrameGathering(
            TailedFrame(
                of: self.session, at: time, direction, opcode, fin: fin, size: size, isCompressed: isCompressed,
                isBinary: isBinary, isGateways: isGateways, showsPayload: self.tail.showsPayloads), for: self.tail)
    }

    /// A piece of a message from the client was inflated. The message is shown as one frame.
    func inflated(_ part: FrameReader.DataPart, in bytes: Span<UInt8>) {
        if part.isFirst {
            self.message = self.gathering(
                at: WallClock.sinceEpoch(), .toBackend, part.messageOpcode, fin: true, size: 0,
                isBinary: part.messageOpcode == .binary)
        }
        self.message?.grow(by: part.range.count)
        self.message?.append(bytes.extracting(part.range))
        guard part.isFinal else { return }
        self.message?.end(&self.news)
        self.message = nil
    }

    // MARK: - What is sent

    /// Whole frames of the gateway were sent to `leg`. Pings, pongs and Closes are its own; messages are those of its services.
    func sent(_ frames: Span<UInt8>, to leg: Leg) {
        let now = WallClock.sinceEpoch()
        var observer = FrameObserver()
        var position = 0
        // Each is in one part, and no message has more than one frame.
        while let part = observer.next(frames, at: &position) {
            let opcode = part.header.opcode
            var frame = self.gathering(
                at: now, .init(from: leg.other), opcode, fin: part.header.fin, size: part.header.payloadLength,
                isBinary: opcode == .binary || opcode == .close, isGateways: opcode.isControl)
            frame.append(frames.extracting(part.range), part.maskingKey)
            frame.end(&self.news)
        }
    }

    /// A message or a piece of one was sent to the client.
    ///
    /// - Parameter opcode: that of the message.
    func sent(_ opcode: Opcode, _ payload: Span<UInt8>, isFirst: Bool, isFinal: Bool) {
        var frame = self.gathering(
            at: WallClock.sinceEpoch(), .toClient, isFirst ? opcode : .continuation, fin: isFinal,
            size: payload.count, isBinary: opcode == .binary)
        frame.append(payload)
        frame.end(&self.news)
    }

    // MARK: - News

    /// Tells the control thread what has happened.
    func report() {
        guard !self.news.isEmpty else { return }
        self.tail.send(self.news)
        self.news = []
    }

    /// The tail or the session is over.
    ///
    /// - Parameter isSession: the session is: if it is the only one of the tail, that is told.
    func end(isSession: Bool) {
        for leg in [Leg.client, .backend] { self.legs[leg]?.frame?.leave() }
        self.message?.leave()
        guard isSession else { return }
        if case .session = self.tail.selection { self.news.append(.ended) }
        self.report()
    }
}
