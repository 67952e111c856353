internal import Connections
internal import Sessions
internal import System
internal import WebSocketProtocol

/// Messages that somebody sends to a room.
public struct RoomPost: Sendable {
    let room: RoomKey
    let messages: RoomMessages
    let sender: RoomSender
}

/// A post on its way to the members of its room on one worker: those who were there when it came. It is compressed at most once for all
/// who agreed on the same parameters. That needs messages that do not refer to others, which is why rooms agree on nothing else.
final class RoomDelivery {
    private let post: RoomPost
    // Those of this worker, which outlive it.
    private unowned let rooms: Rooms
    private let members: [BroadcastConversation]
    /// How many members have it.
    private var done = 0
    private let plain: Shared
    private var compressed: [DeflateParameters.Direction: Shared] = [:]

    /// Messages as the queues of this worker share them.
    struct Shared {
        let tally: MessageTally
        let bytes: SharedBytes

        init(_ messages: RoomMessages, _ memory: MemoryAccount) {
            self.tally = messages.tally
            self.bytes = SharedBytes(messages.bytes, countedBy: memory)
        }
    }

    init(_ post: RoomPost, _ rooms: Rooms, to members: [BroadcastConversation]) {
        self.post = post
        self.plain = Shared(post.messages, rooms.memory)
        self.rooms = rooms
        self.members = members
    }

    /// Delivers to those who do not have it yet, one in any case, until the share of the turn is used up. Returns whether all have it.
    func goOn() -> Bool {
        let loop = self.rooms.loop
        loop.sends.expect(sends: self.members.count - self.done)
        while self.done < self.members.count {
            let member = self.members[self.done]
            self.done += 1
            member.deliver(self)
            if loop.budget.isShareSpent { break }
        }
        return self.done == self.members.count
    }

    /// Nobody is left who has to get it.
    func end() { self.rooms.delivered(self.post) }

    /// For a member that agreed on this; `nil`: on no compression.
    func messages(for direction: DeflateParameters.Direction?) -> Shared {
        guard let direction else { return self.plain }
        if let messages = self.compressed[direction] { return messages }
        let plain = self.post.messages
        self.rooms.loop.budget.spend(Work.compression + Work.deflated(plain.bytes.count))
        let messages = Shared(plain.compressed(direction, self.rooms.compression), self.rooms.memory)
        self.compressed[direction] = messages
        return messages
    }
}
