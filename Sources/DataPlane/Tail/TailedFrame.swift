public import Sessions
public import WebSocketProtocol

/// One frame of a tailed session.
public struct TailedFrame: Equatable, Sendable {
    /// Which way a frame goes. The gateway's own frames go to the leg that they are sent to.
    public enum Direction: String, Sendable {
        case toBackend = "to-backend"
        case toClient = "to-client"

        /// That of what comes from `leg`.
        public init(from leg: Leg) { self = leg == .client ? .toBackend : .toClient }
    }

    /// The most bytes of a payload that are shown.
    public static let mostShown = 64 << 10
    /// The memory of a frame besides its payload, in bytes.
    private static let overhead = 256

    /// The session's id.
    public let session: SessionID
    /// When it came or was sent, since 1970-01-01 00:00 UTC.
    public let at: Duration
    /// Which way it goes.
    public let direction: Direction
    /// As on the wire. A message that came compressed to the gateway itself is one frame.
    public let opcode: Opcode
    /// The last frame of its message.
    public var fin: Bool
    /// Bytes of the whole payload.
    public var size: Int
    /// The payload is as on the wire, compressed (RFC 7692).
    public let isCompressed: Bool
    /// It belongs to a binary message.
    public let isBinary: Bool
    /// The first `mostShown` bytes, unmasked; `nil` where payloads are not shown.
    public internal(set) var payload: [UInt8]?

    /// A frame of which no payload is here yet.
    ///
    /// - Parameter showsPayload: whether it will be.
    public init(
        of session: SessionID, at time: Duration, _ direction: Direction, _ opcode: Opcode, fin: Bool, size: Int,
        isCompressed: Bool = false, isBinary: Bool, showsPayload: Bool
    ) {
        self.session = session
        self.at = time
        self.direction = direction
        self.opcode = opcode
        self.fin = fin
        self.size = size
        self.isCompressed = isCompressed
        self.isBinary = isBinary
        self.payload = showsPayload ? [] : nil
    }

    /// Whether a part of the payload is not shown.
    public var isCut: Bool { self.payload.map { $0.count < self.size } ?? false }

    /// The approximate memory, in bytes.
    public var footprint: Int { Self.overhead + (self.payload?.count ?? 0) }
}
