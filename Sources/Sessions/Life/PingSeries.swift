public import WebSocketProtocol

/// Our pings on one leg of a session. Their payload is 8 random bytes and a counter, to tell their pongs from those for the other side's
/// pings, which are relayed.
public struct PingSeries: Equatable, Sendable {
    /// Which ping a pong answers.
    public enum Pong: Equatable, Sendable {
        /// None of ours, or one that was already answered.
        case foreign
        /// One of ours, and with it those before it (RFC 6455 section 5.5.3), but not the latest.
        case earlier
        /// Our latest.
        case latest
    }

    private static let payloadLength = 12

    private let nonce: UInt64
    /// The number of the latest ping; `answered` is that of the latest answered one.
    private var latest: UInt32 = 0
    private var answered: UInt32 = 0

    /// - Parameter nonce: random, and different for each leg of a session.
    public init(nonce: UInt64) { self.nonce = nonce }

    /// The payload of the next ping: 12 bytes.
    public mutating func next() -> [UInt8] {
        self.latest &+= 1
        return (0..<Self.payloadLength).map { self.byte($0, number: self.latest) }
    }

    /// Which ping the pong `frame` in `bytes` answers.
    public mutating func received(_ frame: ControlFrame, in bytes: Span<UInt8>) -> Pong {
        guard self.answered != self.latest, frame.payloadRange.count == Self.payloadLength else { return .foreign }
        let payload = frame.payload(in: bytes)
        let number = payload[8...].reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
        // Compare distances from the latest answered number: the counter may wrap.
        let distance = number &- self.answered
        guard distance > 0, distance <= self.latest &- self.answered else { return .foreign }
        guard payload.indices.allSatisfy({ payload[$0] == self.byte($0, number: number) }) else { return .foreign }
        self.answered = number
        return number == self.latest ? .latest : .earlier
    }

    /// Big-endian: the nonce, then the number.
    private func byte(_ index: Int, number: UInt32) -> UInt8 {
        index < 8
            ? UInt8(truncatingIfNeeded: self.nonce >> UInt64(8 * (7 - index)))
            : UInt8(truncatingIfNeeded: number >> UInt32(8 * (11 - index)))
    }
}
