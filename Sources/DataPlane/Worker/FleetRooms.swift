internal import System

/// A fleet as the rooms of one of its workers see it.
struct FleetRooms: RoomNetwork {
    let fleet: Fleet
    let worker: Int

    var workers: Int { self.fleet.members.count }
    var isBacklogged: Bool { self.fleet.isBacklogged }

    func count(_ post: RoomPost, for workers: [Int]) -> Bool { self.fleet.count(post, for: workers) }
    func put(_ post: RoomPost, for worker: Int) -> Bool { self.fleet.members[worker].rooms.put(post) }
    func wake(_ worker: Int) { self.fleet.members[worker].rooms.wake() }
    func memoryRose() { self.fleet.control.send(.memoryRose) }
    func delivered(_ post: RoomPost) { self.fleet.delivered(post, by: self.worker) }
    func goOn(_ sender: RoomSender) { self.fleet.members[sender.worker].mailbox.send(.goOn(sender)) }
}
