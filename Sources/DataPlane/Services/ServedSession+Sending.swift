internal import Connections
internal import Sessions
internal import System
internal import WebSocketProtocol

/// Sending to the client: whole frames, compressed if that was agreed on and is worthwhile, and small ones gathered.
extension ServedSession {
    /// Sends a message with the payload at `range` of `buffer`. Uncompressed, its header is written just before it: over the client's own
    /// header, or into the headroom.
    func sendMessage(_ opcode: Opcode, payloadAt range: Range<Int>, in buffer: ReadBuffer) {
        if !self.sendsPlain, self.showOrCompress(opcode, buffer.span.extracting(range)) { return }
        let header = FrameHeader(fin: true, rsv1: false, opcode: opcode, payloadLength: range.count, maskingKey: nil)
        let start = range.lowerBound - header.encodedLength
        var bytes = buffer.mutableSpan
        _ = header.encode(into: &bytes, at: start)
        self.send(buffer.span.extracting(start..<range.upperBound), to: self.client)
        self.hasSent(opcode, payload: range.count)
    }

    /// Sends a part of a message as a fragment of the same message.
    ///
    /// - Parameter pieces: how the message is sent; `nil` before and after it.
    func sendPiece(_ part: FrameReader.DataPart, in buffer: ReadBuffer, _ pieces: inout MessagePieces?) {
        self.sendPiece(of: part.messageOpcode, buffer.span.extracting(part.range), isFinal: part.isFinal, &pieces)
    }

    func sendPiece(
        of opcode: Opcode, _ payload: Span<UInt8>, isFinal: Bool, _ pieces: inout MessagePieces?
    ) {
        // An empty fragment in the middle would be noise.
        guard isFinal || !payload.isEmpty else { return }
        let place = CompressedFrame.Place(isFirst: pieces == nil, isFinal: isFinal)
        if self.isTailed { self.show(opcode, payload, place) }
        let isCompressed = pieces != .plain && self.sendCompressed(opcode, payload, place)
        if !isCompressed {
            let header = FrameHeader(
                fin: isFinal, rsv1: false, opcode: place.isFirst ? opcode : .continuation,
                payloadLength: payload.count, maskingKey: nil)
            self.sendFrame(header, payload, of: isFinal ? opcode : nil)
        }
        pieces = isFinal ? nil : isCompressed ? .compressed : .plain
    }

    func sendMessage(_ message: Message) {
        if !self.sendsPlain, self.showOrCompress(message.opcode, message.payload.span) { return }
        let header = FrameHeader(
            fin: true, rsv1: false, opcode: message.opcode, payloadLength: message.payload.count, maskingKey: nil)
        self.sendFrame(header, message.payload.span, of: message.opcode)
    }

    /// - Parameter opcode: of the message that this frame completes; `nil` if it completes none.
    private func sendFrame(_ header: FrameHeader, _ payload: Span<UInt8>, of opcode: Opcode?) {
        var bytes: [UInt8] = []
        header.append(to: &bytes)
        self.send(bytes.span, to: self.client, more: true)
        self.send(payload, to: self.client)
        // Without a payload, the header is still unsent.
        if !self.hasMore { self.flush() }
        self.hasSent(opcode, payload: payload.count)
    }

    /// Shows a message to tails, and sends it compressed. Returns false, and sends nothing, if `sendCompressed` does.
    private func showOrCompress(_ opcode: Opcode, _ payload: Span<UInt8>) -> Bool {
        if self.isTailed { self.show(opcode, payload, .init()) }
        return self.sendCompressed(opcode, payload)
    }

    private func show(_ opcode: Opcode, _ payload: Span<UInt8>, _ place: CompressedFrame.Place) {
        self.session.tailed?.sent(opcode, payload, isFirst: place.isFirst, isFinal: place.isFinal)
    }

    /// Sends a message or a piece of one compressed. Returns false, and sends nothing, if compression was not agreed on or is not
    /// worthwhile.
    private func sendCompressed(
        _ opcode: Opcode, _ payload: Span<UInt8>, _ place: CompressedFrame.Place = .init()
    ) -> Bool {
        guard let compression = self.compression else { return false }
        var scratch = compression.worker.takeScratch()
        let frame = CompressedFrame.encode(opcode, payload, place, with: { compression.deflater }, into: &scratch)
        if let frame {
            self.loop.budget.spend(Work.compression + Work.deflated(payload.count))
            self.send(scratch.span.extracting(frame.range), to: self.client)
            self.hasSent(place.isFinal ? opcode : nil, payload: frame.payloadLength)
        }
        compression.worker.giveBack(&scratch)
        return frame != nil
    }

    /// - Parameter opcode: of the message that is complete now; `nil` if none is.
    private func hasSent(_ opcode: Opcode?, payload length: Int) {
        var tally = MessageTally()
        switch opcode {
        case .text: tally.text = 1
        case .some: tally.binary = 1
        case nil: break
        }
        tally.payloadBytes = UInt64(length)
        self.count(tally)
        if self.isFlushed { self.noteSent() }
    }

    /// Counts messages that were sent or gathered.
    func count(_ messages: MessageTally) {
        self.sent.text &+= messages.text
        self.sent.binary &+= messages.binary
        self.sent.payloadBytes &+= messages.payloadBytes
        self.dataPassed()
    }

    /// The connection has everything that was counted: remembers what its socket did not accept.
    func noteSent() {
        if self.client.hasUntaken { self.taken.sent(self.flushed, self.sent, self.client.writing) }
        self.flushed = self.sent
    }

    // MARK: - Bytes

    /// Sends whole frames to the client, or payload to a TCP server, gathered with what else the same read brings.
    ///
    /// - Parameter more: whether more follows in any case.
    func send(_ bytes: Span<UInt8>, to connection: Connection, more: Bool = false) {
        let gathered = self.gathered
        let isLast = !more && !self.hasMore
        if isLast, gathered.isEmpty { return self.sendNow(bytes, to: connection) }
        if !gathered.hasRoom(for: bytes.count, to: connection) { self.flush() }
        guard gathered.isWorthwhile(bytes.count) else {
            self.flush()
            return self.sendNow(bytes, to: connection)
        }
        gathered.add(bytes, to: connection)
        if isLast { self.flush() }
    }

    /// Sends without gathering.
    private func sendNow(_ bytes: Span<UInt8>, to connection: Connection) {
        self.loop.budget.spend(Work.send)
        connection.send(bytes)
    }

    /// Whether no gathered bytes wait.
    var isFlushed: Bool { self.gathered.isEmpty }

    /// Sends gathered bytes, before anything that must follow them.
    func flush() {
        guard !self.isFlushed else { return }
        self.gathered.flush()
        self.noteSent()
        self.didFlush()
    }
}

/// How a message in pieces is sent: its first frame decides for all (RFC 7692 section 6).
enum MessagePieces: Equatable {
    case plain
    case compressed
}
