internal import DequeModule
internal import System

/// Names a broadcast room.
struct RoomKey: Hashable, Sendable {
    /// The backend's name.
    let backend: String
    /// The path as matched: normalised, without query.
    let path: String
}

/// A room as one worker has it: the members that live on it, and what they did not get yet.
///
/// Posts are delivered one after the other, and to as many members at a time as the share of a turn is enough for.
final class Room: ReadinessHandler {
    // Its worker's, which outlives it.
    private unowned let loop: EventLoop
    private(set) var members: [BroadcastConversation] = []
    /// The first one is under way.
    private var waiting: Deque<RoomDelivery> = []
    /// With the loop, once there is something to come back for.
    private var registration: EventLoop.Registration?
    private var isScheduled = false

    init(_ loop: EventLoop) { self.loop = loop }

    // MARK: - Members

    func join(_ member: BroadcastConversation) {
        guard member.place < 0 else { return }
        member.place = self.members.count
        self.members.append(member)
    }

    func leave(_ member: BroadcastConversation) {
        let place = member.place
        guard place >= 0, let last = self.members.popLast() else { return }
        member.place = -1
        guard last !== member else { return }
        self.members[place] = last
        last.place = place
    }

    // MARK: - Delivering

    /// Delivers it to the members, at once as far as that goes.
    func deliver(_ delivery: RoomDelivery) {
        self.waiting.append(delivery)
        if !self.isScheduled { self.goOn() }
    }

    func ready(_ readiness: Readiness) {
        self.isScheduled = false
        self.goOn()
    }

    private func goOn() {
        while let delivery = self.waiting.first {
            guard delivery.goOn() else { return self.goOnLater() }
            // Members that were closed on the way may have been the last ones of the room.
            guard self.waiting.first === delivery else { return }
            self.waiting.removeFirst()
            delivery.end()
            if self.loop.budget.isShareSpent, !self.waiting.isEmpty { return self.goOnLater() }
        }
        self.waiting = []
    }

    private func goOnLater() {
        guard !self.waiting.isEmpty else { return }
        let registration = self.registration ?? self.loop.add(self)
        self.registration = registration
        self.isScheduled = true
        self.loop.again(registration)
    }

    /// There are no members any more.
    func close() {
        if let registration = self.registration { self.loop.forget(registration) }
        self.registration = nil
        let waiting = self.waiting
        self.waiting = []
        for delivery in waiting { delivery.end() }
    }
}

/// The rooms of one worker.
struct Rooms {
    private var rooms: [RoomKey: Room] = [:]

    subscript(key: RoomKey) -> Room? { self.rooms[key] }

    mutating func join(_ member: BroadcastConversation, _ key: RoomKey) {
        let room = self.rooms[key] ?? Room(member.session.worker.loop)
        self.rooms[key] = room
        room.join(member)
    }

    /// The last one to leave closes the room.
    mutating func leave(_ member: BroadcastConversation, _ key: RoomKey) {
        guard let room = self.rooms[key] else { return }
        room.leave(member)
        guard room.members.isEmpty else { return }
        self.rooms[key] = nil
        room.close()
    }
}
