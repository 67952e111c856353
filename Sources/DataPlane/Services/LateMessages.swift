internal import Configuration
internal import Connections
internal import DequeModule
internal import WebSocketProtocol

/// Posts to a room that a member gets when it has taken what it was sent. Only these can be left out: in its connection's queue there may be the
/// rest of a message, or a record of TLS.
struct LateMessages {
    private var posts = Deque<RoomDelivery.Shared>()
    /// Bytes of their frames.
    private(set) var bytes = 0

    /// None.
    init() {}

    var isEmpty: Bool { self.posts.isEmpty }

    /// What becomes of messages for a member that has not taken all that it was sent.
    enum Turn {
        /// They are sent at once: nothing is left out here.
        case isNext
        /// The member has to go.
        case tooSlow
        /// They wait here. So many others were left out for them.
        case waits(missed: UInt64)
    }

    /// - Parameters:
    ///   - isOver: more than may wait does.
    ///   - room: how many bytes may wait here.
    mutating func add(
        _ messages: RoomDelivery.Shared, _ rule: SlowConsumer, isOver: Bool, room: @autoclosure () -> Int
    ) -> Turn {
        switch rule {
        case .close where isOver: return .tooSlow
        case .close where self.isEmpty: return .isNext
        case .close:
            self.append(messages)
            return .waits(missed: 0)
        case .dropOldest:
            self.append(messages)
            return .waits(missed: self.dropOldest(downTo: room()))
        }
    }

    mutating func append(_ messages: RoomDelivery.Shared) {
        messages.bytes.keep()
        self.bytes += messages.bytes.bytes.count
        self.posts.append(messages)
    }

    mutating func takeFirst() -> RoomDelivery.Shared? {
        guard let first = self.posts.popFirst() else { return nil }
        self.bytes -= first.bytes.bytes.count
        return first
    }

    /// Leaves out the oldest posts until no more than `most` bytes are left, but never the newest.
    ///
    /// - Returns: how many messages these were.
    mutating func dropOldest(downTo most: Int) -> UInt64 {
        var missed: UInt64 = 0
        while self.bytes > most, self.posts.count > 1, let first = self.takeFirst() {
            missed += first.tally.text + first.tally.binary
        }
        return missed
    }
}
