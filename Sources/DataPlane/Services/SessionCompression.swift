internal import WebSocketProtocol

/// What a session that agreed on compression holds for it: a stream for each side that keeps context, made when it is first needed,
/// and an inflater while a message is coming in.
final class SessionCompression {
    let parameters: DeflateParameters
    /// How many bytes came of the message in progress so far, where it came uncompressed.
    var plainLength = 0
    /// Streams and memory that belong to no session.
    let worker: WorkerCompression
    private var inflater: Inflater?
    private var ownDeflater: Deflater?

    init(_ parameters: DeflateParameters, _ worker: WorkerCompression) {
        self.parameters = parameters
        self.worker = worker
    }

    /// What the message in progress takes of memory for being inflated. What keeps context is the session's own, whether there is a message
    /// or not, and `limits.compression` bounds it.
    var lentMemory: Int {
        self.inflater == nil || self.parameters.client.keepsContext ? 0 : self.parameters.client.inflateMemory
    }

    /// For the message in progress, or the next one.
    func takeInflater(maximumMessage: Int) -> Inflater {
        if let inflater = self.inflater { return inflater }
        let inflater = self.worker.takeInflater(self.parameters.client)
        inflater.maximumMessage = maximumMessage
        self.inflater = inflater
        return inflater
    }

    /// A message is complete.
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

/// A message, or a piece of one, in one compressed frame.
struct CompressedFrame {
    /// Where in its message a frame stands.
    struct Place {
        var isFirst = true
        var isFinal = true
    }

    /// Where the frame is in what it was written into.
    let range: Range<Int>
    let payloadLength: Int

    /// A larger message is sent as it is: to compress it would keep the other sessions of the worker waiting for more than 3 ms.
    private static let mostAtOnce = 128 << 10

    /// Writes the frame over `bytes`. `nil` if compression is not worthwhile: the message is short or long, or would not get any shorter
    /// (where a deflater keeps context it must be sent all the same). Of a message in pieces the first one decides.
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
