/// What became of a publication.
public struct RoomPublished: Equatable, Sendable {
    /// Whether it was published now; `false`: an earlier one with the same key was, and this is its answer.
    public let isNew: Bool
    /// Where it is in the history; `nil`: the room has none.
    public let position: RoomPosition?
    /// Those of the publication.
    public let receivers: Int

    init(isNew: Bool, position: RoomPosition?, receivers: Int) {
        self.isNew = isNew
        self.position = position
        self.receivers = receivers
    }

    /// - Returns: `nil` for what is no answer of the script.
    init?(_ value: RedisValue) {
        guard let parts = value.list, parts.count == 4, let isNew = parts[0].integer, let offset = parts[1].integer,
            let epoch = parts[2].text, let receivers = parts[3].integer, receivers >= 0
        else { return nil }
        if offset == 0, epoch.isEmpty {
            self.position = nil
        } else {
            guard let position = RoomPosition(checking: epoch, offset), offset > 0 else { return nil }
            self.position = position
        }
        self.isNew = isNew == 1
        self.receivers = Int(receivers)
    }
}
