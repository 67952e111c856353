internal import WebSocketProtocol

/// The message that a session sends repeatedly: made once, so that sending costs only a system call.
final class Message {
    let payload: [UInt8]
    /// The masked frame, repeated, so that one send can take as many as are due.
    let frames: [UInt8]
    let frameLength: Int

    /// How many bytes of copies are worth their memory.
    private static let copiesSize = 64 << 10

    /// A binary message.
    ///
    /// - Parameters:
    ///   - seed: each seed has its own payload and masking key.
    ///   - inFlight: the most that are sent at once.
    init(size: Int, seed: Int, inFlight: Int = 1) {
        var random = SplitMix(seed: UInt64(truncatingIfNeeded: seed))
        self.payload = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let key = MaskingKey(bits: UInt32(truncatingIfNeeded: random.next()))
        let frame = Frame.binary(self.payload, maskingKey: key)
        let copies = min(inFlight, max(Self.copiesSize / frame.count, 1))
        self.frameLength = frame.count
        self.frames = Array(repeatElement(frame, count: copies).joined())
    }

    /// Whether `bytes` are the payload's from `offset` on.
    func matches(_ bytes: Span<UInt8>, at offset: Int) -> Bool {
        for index in bytes.indices where bytes[index] != self.payload[offset + index] { return false }
        return true
    }
}

/// Random enough for payloads and keys that are not attacked, and the same in every run.
///
/// Each state is the last one plus a constant; the output is the state, mixed by multiplications and shifts.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed &* 0xD134_2543_DE82_EF95 }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
