internal import EventLoop
internal import WebSocketProtocol

/// What the client is sent: whole frames, compressed where that was agreed on and is worth it.
extension EndpointConversation {
    /// Sends a message whose payload lies at `range` of `buffer`. Uncompressed, its header is written right in front of it: over the
    /// client's own header or into the headroom.
    func sendMessage(_ opcode: Opcode, payloadAt range: Range<Int>, in buffer: ReadBuffer) {
        guard !self.sendCompressed(opcode, buffer.span.extracting(range)) else { return self.count(opcode, payload: 0) }
        self.count(opcode, payload: range.count)
        let header = FrameHeader(fin: true, rsv1: false, opcode: opcode, payloadLength: range.count, maskingKey: nil)
        let start = range.lowerBound - header.encodedLength
        var bytes = buffer.mutableSpan
        _ = header.encode(into: &bytes, at: start)
        self.client?.send(buffer.span.extracting(start..<range.upperBound))
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
            self.sendFrame(
                FrameHeader(
                    fin: isFinal, rsv1: false, opcode: place.isFirst ? opcode : .continuation,
                    payloadLength: payload.count, maskingKey: nil),
                payload)
        }
        pieces = isFinal ? nil : isCompressed ? .compressed : .plain
        self.count(isFinal ? opcode : nil, payload: isCompressed ? 0 : payload.count)
    }

    private func sendFrame(_ header: FrameHeader, _ payload: Span<UInt8>) {
        var bytes: [UInt8] = []
        header.append(to: &bytes)
        self.client?.send(bytes.span)
        self.client?.send(payload)
    }

    func sendMessage(_ message: Message) {
        guard !self.sendCompressed(message.opcode, message.payload.span) else {
            return self.count(message.opcode, payload: 0)
        }
        self.count(message.opcode, payload: message.payload.count)
        self.sendFrame(
            FrameHeader(
                fin: true, rsv1: false, opcode: message.opcode, payloadLength: message.payload.count, maskingKey: nil),
            message.payload.span)
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
            self.sent.payloadBytes &+= UInt64(frame.payloadLength)
            self.client?.send(scratch.span.extracting(frame.range))
        }
        self.session.worker.compression.giveBack(&scratch)
        return frame != nil
    }

    /// Counts what was sent.
    ///
    /// - Parameter opcode: of the message that is whole with it; `nil`: none is.
    func count(_ opcode: Opcode?, payload length: Int) {
        switch opcode {
        case .text: self.sent.text &+= 1
        case .some: self.sent.binary &+= 1
        case nil: break
        }
        self.sent.payloadBytes &+= UInt64(length)
        self.dataPassed()
    }
}

/// How a message goes that is sent in pieces: its first frame decides for all (RFC 7692 section 6).
enum MessagePieces: Equatable {
    case plain
    case compressed
}
