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
    /// The code at the beginning of a Close, which is shown also without payloads: it is the endpoints' word, not a user's.
    static let codeSize = 2
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
    /// The gateway made it itself.
    public let isGateways: Bool
    /// Whether the payload is shown.
    public let showsPayload: Bool
    /// The first `mostKept` bytes, unmasked; `nil` where there is nothing to keep.
    public internal(set) var payload: [UInt8]?

    /// A frame of which no payload is here yet.
    ///
    /// - Parameters:
    ///   - isGateways: whether the gateway made it itself.
    ///   - showsPayload: whether the payload will be shown.
    public init(
        of session: SessionID, at time: Duration, _ direction: Direction, _ opcode: Opcode, fin: Bool, size: Int,
        isCompressed: Bool = false, isBinary: Bool, isGateways: Bool = false, showsPayload: Bool
    ) {
        self.session = session
        self.at = time
        self.direction = direction
        self.opcode = opcode
        self.fin = fin
        self.size = size
        self.isCompressed = isCompressed
        self.isBinary = isBinary
        self.isGateways = isGateways
        self.showsPayload = showsPayload
        self.payload = showsPayload || opcode == .close ? [] : nil
    }

    /// How many bytes of the payload are kept.
    var mostKept: Int { self.showsPayload ? Self.mostShown : Self.codeSize }

    /// Whether a part of the payload that is to be shown is not.
    public var isCut: Bool { self.showsPayload && self.payload.map { $0.count < self.size } ?? false }

    /// The approximate memory, in bytes.
    public var footprint: Int { Self.overhead + (self.payload?.count ?? 0) }
}
