/// A place in a room's history.
public struct RoomPosition: Hashable, Sendable {
    /// What the offsets are counted in: letters and digits. Another one means that the room was forgotten.
    public var epoch: String
    /// That of the last message; 0 if there was none.
    public var offset: Int64

    /// - Parameters:
    ///   - epoch: letters and digits.
    ///   - offset: not negative.
    public init(epoch: String, offset: Int64) {
        self.epoch = epoch
        self.offset = offset
    }

    /// - Returns: `nil` for what cannot be a position.
    init?(checking epoch: String?, _ offset: Int64?) {
        guard let epoch, let offset, offset >= 0, (1...64).contains(epoch.utf8.count),
            epoch.utf8.allSatisfy({ Self.isOfEpoch($0) })
        else { return nil }
        self.epoch = epoch
        self.offset = offset
    }

    private static func isOfEpoch(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}
