internal import System

/// A fleet as the rooms of one of its workers see it.
struct FleetRooms: RoomNetwork {
    let fleet: Fleet
    let worker: Int

    var workers: Int { self.fleet.members.count }
    var isBacklogged: Bool { self.fleet.isBacklogged }

    func broadcast(_ post: RoomPost) { self.fleet.broadcast(post, from: self.worker) }
    func delivered(_ post: RoomPost) { self.fleet.delivered(post, by: self.worker) }
    func goOn(_ sender: RoomSender) { self.fleet.members[sender.worker].mailbox.send(.goOn(sender)) }
}
