internal import Connections
internal import Sessions
internal import System
internal import WebSocketProtocol

/// Messages that one client sends to its room.
public struct RoomPost: Sendable {
    let room: RoomKey
    let messages: RoomMessages
    let sender: RoomSender
}

/// A post on its way to the members of its room on one worker that were there when it came. It is compressed once at most for all members
/// with the same parameters. That needs messages that do not refer to earlier ones, so rooms agree on nothing else.
final class RoomDelivery {
    private let post: RoomPost
    // This worker's, which outlive the delivery.
    private unowned let rooms: Rooms
    private let members: [BroadcastConversation]
    /// How many members it was sent to.
    private var done = 0
    /// For a member without compression.
    let plain: Shared
    private var compressed: [DeflateParameters.Direction: Shared] = [:]

    /// The messages in the form that this worker's queues share.
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

    /// Delivers to the members that are left, to at least one, until the share of the turn is used up. Returns whether it is complete.
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

    /// No member is left that has to get it.
    func end() { self.rooms.delivered(self.post) }

    /// The messages for a member with these parameters; `nil` for one without compression.
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
