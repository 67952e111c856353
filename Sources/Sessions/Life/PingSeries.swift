public import WebSocketProtocol

/// Our pings on one leg of a session: 8 random bytes and a counter, so that their pongs can be told from those for pings of the other
/// side, which pass through.
public struct PingSeries: Equatable, Sendable {
    /// Whose a pong is.
    public enum Pong: Equatable, Sendable {
        /// None of our pings, or one that was answered.
        case foreign
        /// It answers a ping of ours and the ones before that (RFC 6455 section 5.5.3).
        case earlier
        case latest
    }

    private static let payloadLength = 12

    private let nonce: UInt64
    /// The number of the latest ping, and that of the latest one that was answered.
    private var latest: UInt32 = 0
    private var answered: UInt32 = 0

    /// - Parameter nonce: random, and another one for each leg of a session.
    public init(nonce: UInt64) { self.nonce = nonce }

    /// The payload of the next ping.
    public mutating func next() -> [UInt8] {
        self.latest &+= 1
        return (0..<Self.payloadLength).map { self.byte($0, number: self.latest) }
    }

    /// What the pong `frame`, found in `bytes`, answers.
    public mutating func received(_ frame: ControlFrame, in bytes: Span<UInt8>) -> Pong {
        guard self.answered != self.latest, frame.payloadRange.count == Self.payloadLength else { return .foreign }
        let payload = frame.payload(in: bytes)
        let number = payload[8...].reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
        // Both count from the latest one that was answered: the counter may wrap.
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
