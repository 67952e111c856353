internal import EventLoop
internal import WebSocketProtocol

/// What the client is sent: whole frames, compressed where that was agreed on and is worth it.
extension EndpointConversation {
    /// Sends a message whose payload lies at `range` of `buffer`. Uncompressed, its header is written right in front of it: over the
    /// client's own header or into the headroom.
    func sendMessage(_ opcode: Opcode, payloadAt range: Range<Int>, in buffer: ReadBuffer) {
        guard !self.sendCompressed(opcode, buffer.span.extracting(range)) else { return }
        let before = self.count(opcode, payload: range.count)
        let header = FrameHeader(fin: true, rsv1: false, opcode: opcode, payloadLength: range.count, maskingKey: nil)
        let start = range.lowerBound - header.encodedLength
        var bytes = buffer.mutableSpan
        _ = header.encode(into: &bytes, at: start)
        self.client?.send(buffer.span.extracting(start..<range.upperBound))
        self.hasSent(since: before)
    }

    /// Sends a part of a message as a fragment of the same.
    ///
    /// - Parameter pieces: how its message goes, `nil` before and after it.
    func sendPiece(_ part: FrameReader.DataPart, in buffer: ReadBuffer, _ pieces: inout MessagePieces?) {
        self.sendPiece(of: part.messageOpcode, buffer.span.extracting(part.range), isFinal: part.isFinal, &pieces)
    }

    func sendPiece(
        of opcode: Opcode, _ payload: Span<UInt8>, isFinal: Bool, _ pieces: inout MessagePieces?
    ) {
        // An empty one in the middle says nothing.
        guard isFinal || !payload.isEmpty else { return }
        let place = CompressedFrame.Place(isFirst: pieces == nil, isFinal: isFinal)
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
        guard !self.sendCompressed(message.opcode, message.payload.span) else { return }
        let header = FrameHeader(
            fin: true, rsv1: false, opcode: message.opcode, payloadLength: message.payload.count, maskingKey: nil)
        self.sendFrame(header, message.payload.span, of: message.opcode)
    }

    /// - Parameter opcode: of the message that is whole with it.
    private func sendFrame(_ header: FrameHeader, _ payload: Span<UInt8>, of opcode: Opcode?) {
        let before = self.count(opcode, payload: payload.count)
        var bytes: [UInt8] = []
        header.append(to: &bytes)
        self.client?.send(bytes.span)
        self.client?.send(payload)
        self.hasSent(since: before)
    }

    /// Sends a message, or a piece of one, and counts its bytes. False if nothing was sent, because compression was not agreed on, or not
    /// worthwhile.
    private func sendCompressed(
        _ opcode: Opcode, _ payload: Span<UInt8>, _ place: CompressedFrame.Place = .init()
    ) -> Bool {
        guard let compression = self.compression else { return false }
        var scratch = self.session.worker.compression.takeScratch()
        let frame = CompressedFrame.encode(opcode, payload, place, with: { compression.deflater }, into: &scratch)
        if let frame {
            let before = self.count(place.isFinal ? opcode : nil, payload: frame.payloadLength)
            self.client?.send(scratch.span.extracting(frame.range))
            self.hasSent(since: before)
        }
        self.session.worker.compression.giveBack(&scratch)
        return frame != nil
    }

    /// Counts what is about to be sent. Returns what was counted before.
    ///
    /// - Parameter opcode: of the message that is whole with it; `nil`: none is.
    func count(_ opcode: Opcode?, payload length: Int) -> MessageTally {
        let before = self.sent
        switch opcode {
        case .text: self.sent.text &+= 1
        case .some: self.sent.binary &+= 1
        case nil: break
        }
        self.sent.payloadBytes &+= UInt64(length)
        self.dataPassed()
        return before
    }

    /// The message was sent.
    func hasSent(since before: MessageTally) {
        if let client = self.client, client.hasUntaken { self.taken.sent(before, self.sent, client.writing) }
    }
}

/// How a message goes that is sent in pieces: its first frame decides for all (RFC 7692 section 6).
enum MessagePieces: Equatable {
    case plain
    case compressed
}
