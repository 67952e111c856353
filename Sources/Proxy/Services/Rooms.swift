internal import EventLoop
internal import WebSocketProtocol

/// Names a broadcast room.
struct RoomKey: Hashable, Sendable {
    /// The backend's name.
    let backend: String
    /// The path as matched: normalised, without query.
    let path: String
}

/// A message for a room, encoded once: what every member is sent.
struct RoomFrame: Sendable {
    let opcode: Opcode
    let payloadLength: Int
    /// The whole frame.
    let bytes: [UInt8]

    /// What it takes in a mailbox, its overhead included.
    var memory: Int { self.bytes.capacity + 256 }
}

/// A frame on its way to the members of a room on one worker: compressed at most once for all who agreed on the same parameters.
/// That needs messages that do not refer to others, which is why rooms agree on nothing else.
final class RoomDelivery {
    /// A frame, and its bytes as queues of this worker share them.
    struct Shared {
        let opcode: Opcode
        let payloadLength: Int
        let bytes: SharedBytes

        init(_ frame: RoomFrame) {
            self.opcode = frame.opcode
            self.payloadLength = frame.payloadLength
            self.bytes = SharedBytes(frame.bytes)
        }
    }

    private let plain: Shared
    private let compression: WorkerCompression
    private var compressed: [DeflateParameters.Direction: Shared] = [:]

    init(_ frame: RoomFrame, _ compression: WorkerCompression) {
        self.plain = Shared(frame)
        self.compression = compression
    }

    /// The frame for a member that agreed on this; `nil`: on no compression.
    func frame(for direction: DeflateParameters.Direction?) -> Shared {
        guard let direction else { return self.plain }
        if let frame = self.compressed[direction] { return frame }
        let frame = self.compress(direction).map { Shared($0) } ?? self.plain
        self.compressed[direction] = frame
        return frame
    }

    private func compress(_ direction: DeflateParameters.Direction) -> RoomFrame? {
        let bytes = self.plain.bytes.bytes
        let payload = bytes.span.extracting((bytes.count - self.plain.payloadLength)..<bytes.count)
        var scratch = self.compression.takeScratch()
        defer { self.compression.giveBack(&scratch) }
        let deflater = { self.compression.deflater(direction) }
        guard let frame = CompressedFrame.encode(self.plain.opcode, payload, with: deflater, into: &scratch) else {
            return nil
        }
        return RoomFrame(
            opcode: self.plain.opcode, payloadLength: frame.payloadLength,
            bytes: [UInt8](copying: scratch.span.extracting(frame.range)))
    }
}

/// The rooms of one worker, with the members that live on it.
struct Rooms {
    private var members: [RoomKey: [ObjectIdentifier: BroadcastConversation]] = [:]

    mutating func join(_ member: BroadcastConversation, _ room: RoomKey) {
        self.members[room, default: [:]][ObjectIdentifier(member)] = member
    }

    /// The last one to leave closes the room.
    mutating func leave(_ member: BroadcastConversation, _ room: RoomKey) {
        self.members[room]?[ObjectIdentifier(member)] = nil
        if self.members[room]?.isEmpty == true { self.members[room] = nil }
    }

    func members(of room: RoomKey) -> [BroadcastConversation] { self.members[room].map { Array($0.values) } ?? [] }
}
