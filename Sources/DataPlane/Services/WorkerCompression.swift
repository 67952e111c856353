internal import WebSocketProtocol

/// zlib streams that no session owns: a stream that keeps no context between messages can serve any session.
final class WorkerCompression {
    /// How many inflaters are kept for the next messages; a burst of more is freed again.
    private static let mostInflaters = 8
    private static let mostScratch = 256 << 10

    private var deflaters: [DeflateParameters.Direction: Deflater] = [:]
    private var inflaters: [DeflateParameters.Direction: [Inflater]] = [:]
    private var scratch: [UInt8] = []

    /// The stream for one message, to be used at once.
    func deflater(_ direction: DeflateParameters.Direction) -> Deflater {
        if let deflater = self.deflaters[direction] { return deflater }
        let deflater = Deflater(direction)
        self.deflaters[direction] = deflater
        return deflater
    }

    /// An inflater to keep, or to give back between messages.
    func takeInflater(_ direction: DeflateParameters.Direction) -> Inflater {
        self.inflaters[direction]?.popLast() ?? Inflater(direction)
    }

    func giveBack(_ inflater: Inflater, _ direction: DeflateParameters.Direction) {
        guard self.inflaters[direction, default: []].count < Self.mostInflaters else { return }
        self.inflaters[direction, default: []].append(inflater)
    }

    /// Memory for a compressed message, to be given back.
    func takeScratch() -> [UInt8] {
        let scratch = self.scratch
        self.scratch = []
        return scratch
    }

    func giveBack(_ scratch: inout [UInt8]) {
        if scratch.capacity <= Self.mostScratch { self.scratch = scratch }
        scratch = []
    }
}
