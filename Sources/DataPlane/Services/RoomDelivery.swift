internal import Connections
internal import Sessions
internal import System
internal import WebSocketProtocol

/// A post on its way to the members of its room on one worker that were there when it came. It is compressed once at most for all members
/// with the same parameters. That needs messages that do not refer to earlier ones, so rooms agree on nothing else.
final class RoomDelivery {
    private let post: RoomPost
    // This worker's, which outlive the delivery.
    private unowned let rooms: Rooms
    private let members: [any RoomMember]
    /// How many members it was sent to.
    private var done = 0
    /// For a member without compression and lines.
    let plain: Shared
    /// The other forms in which members want it.
    private var others: [Form: Shared] = [:]
    private var ownEvents: (events: Shared, skipped: UInt64)?

    private struct Form: Hashable {
        /// `nil` without compression.
        let direction: DeflateParameters.Direction?
        let hasLines: Bool
    }

    /// The messages in the form that this worker's queues share.
    struct Shared {
        let tally: MessageTally
        let bytes: SharedBytes

        init(_ messages: RoomMessages, _ memory: MemoryAccount) {
            self.tally = messages.tally
            self.bytes = SharedBytes(messages.bytes, countedBy: memory)
        }

        init(_ events: RoomEvents, _ memory: MemoryAccount) {
            self.tally = events.tally
            self.bytes = SharedBytes(events.bytes, countedBy: memory)
        }
    }

    init(_ post: RoomPost, _ rooms: Rooms, to members: [any RoomMember]) {
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

    /// The post's place in the room's order.
    var number: UInt64 { self.post.number }

    /// A member that does not get it.
    var excluded: SessionID? { self.post.excluded }

    /// No member is left that has to get it.
    func end() {
        self.post.ledger.delivered(self.post, to: self.done)
        self.rooms.delivered(self.post)
    }

    /// The messages for a member.
    ///
    /// - Parameters:
    ///   - direction: the parameters of its compression; `nil` without.
    ///   - hasLines: each begins with a line.
    func messages(for direction: DeflateParameters.Direction?, hasLines: Bool) -> Shared {
        if direction == nil, !hasLines { return self.plain }
        let form = Form(direction: direction, hasLines: hasLines)
        if let messages = self.others[form] { return messages }
        var messages = hasLines ? RoomMessages(lined: self.post) : self.post.messages
        self.rooms.loop.budget.spend(Work.bytes(messages.bytes.count, tls: false))
        if let direction { messages = self.rooms.compress(messages, direction) }
        let shared = Shared(messages, self.rooms.memory)
        self.others[form] = shared
        return shared
    }

    /// The messages for members that get events, and how many binary ones they miss.
    var events: (events: Shared, skipped: UInt64) {
        if let events = self.ownEvents { return events }
        let events = RoomEvents(self.post)
        self.rooms.loop.budget.spend(Work.bytes(events.bytes.count, tls: false))
        let own = (Shared(events, self.rooms.memory), events.skipped)
        self.ownEvents = own
        return own
    }
}
