/// A part of a room's history.
public struct RoomRecovery: Equatable, Sendable {
    /// That of the room's last message.
    public let position: RoomPosition
    /// Whether nothing is missing; otherwise there are no messages.
    public let isWhole: Bool
    /// Oldest first, without a gap. Where the last one's offset is less than that of `position`, there are more: ask since that one.
    public let messages: [RoomMessage]

    /// - Returns: `nil` for what is no answer of the script.
    init?(_ value: RedisValue) {
        guard let parts = value.list, parts.count == 4,
            let position = RoomPosition(checking: parts[0].text, parts[1].integer), let isWhole = parts[2].integer,
            let values = parts[3].list
        else { return nil }
        var messages: [RoomMessage] = []
        for value in values {
            guard let message = value.bytes.flatMap({ RoomMessage($0) }), let own = message.position,
                own.epoch == position.epoch, own.offset <= position.offset
            else { return nil }
            if let last = messages.last?.position {
                // Not more than the room's last offset, so the sum cannot overflow.
                guard last.offset < position.offset, own.offset == last.offset + 1 else { return nil }
            }
            messages.append(message)
        }
        self.position = position
        self.isWhole = isWhole == 1
        self.messages = messages
    }
}
