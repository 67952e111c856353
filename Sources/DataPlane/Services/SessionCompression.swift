internal import WebSocketProtocol

/// The zlib streams of a session that agreed on compression: one for each side that keeps context, made when first needed, and an inflater
/// while a message comes in.
final class SessionCompression {
    let parameters: DeflateParameters
    /// How many bytes of the message in progress came uncompressed.
    var plainLength = 0
    /// Streams and memory that all sessions of the worker share.
    let worker: WorkerCompression
    private var inflater: Inflater?
    private var ownDeflater: Deflater?

    init(_ parameters: DeflateParameters, _ worker: WorkerCompression) {
        self.parameters = parameters
        self.worker = worker
    }

    /// The memory of a borrowed inflater for the message in progress. A stream that keeps context does not count: the session always has
    /// it, and `limits.compression` bounds it.
    var lentMemory: Int {
        self.inflater == nil || self.parameters.client.keepsContext ? 0 : self.parameters.client.inflateMemory
    }

    /// The inflater for the message in progress, or the next one.
    func takeInflater(maximumMessage: Int) -> Inflater {
        if let inflater = self.inflater { return inflater }
        let inflater = self.worker.takeInflater(self.parameters.client)
        inflater.maximumMessage = maximumMessage
        self.inflater = inflater
        return inflater
    }

    /// A message is complete: returns a borrowed inflater.
    func giveBack(_ inflater: Inflater) {
        guard !self.parameters.client.keepsContext else { return }
        self.inflater = nil
        self.worker.giveBack(inflater, self.parameters.client)
    }

    var deflater: Deflater {
        guard self.parameters.server.keepsContext else { return self.worker.deflater(self.parameters.server) }
        if let deflater = self.ownDeflater { return deflater }
        let deflater = Deflater(self.parameters.server)
        self.ownDeflater = deflater
        return deflater
    }
}

/// A message or a piece of one, in one compressed frame.
struct CompressedFrame {
    /// The frame's place in its message.
    struct Place {
        var isFirst = true
        var isFinal = true
    }

    /// The frame's positions in the bytes that it was written into.
    let range: Range<Int>
    let payloadLength: Int

    /// A larger message is sent uncompressed: compressing it would delay the worker's other sessions for more than 3 ms.
    private static let mostAtOnce = 128 << 10

    /// Writes the frame over `bytes`. `nil` if compression is not worthwhile: the message is too short or too long, or would not become
    /// shorter (with context kept, it has to be sent compressed all the same). In a message in pieces, the first piece decides.
    static func encode(
        _ opcode: Opcode, _ payload: Span<UInt8>, _ place: Place = Place(), with deflater: () -> Deflater,
        into bytes: inout [UInt8]
    ) -> CompressedFrame? {
        let isWorthwhile = payload.count >= Deflater.leastWorthwhile && payload.count <= Self.mostAtOnce
        guard isWorthwhile || !place.isFirst else { return nil }
        let deflater = deflater()
        let room = FrameHeader.maximumLength
        bytes.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: repeatElement(0, count: room))
        deflater.append(payload, to: &bytes, isFinal: place.isFinal)
        let length = bytes.count - room
        guard length < payload.count || deflater.keepsContext || !place.isFirst else { return nil }
        let header = FrameHeader(
            fin: place.isFinal, rsv1: place.isFirst, opcode: place.isFirst ? opcode : .continuation,
            payloadLength: length, maskingKey: nil)
        let start = room - header.encodedLength
        var span = bytes.mutableSpan
        _ = header.encode(into: &span, at: start)
        return CompressedFrame(range: start..<bytes.count, payloadLength: length)
    }
}
