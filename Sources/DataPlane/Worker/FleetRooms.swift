internal import System

/// A fleet as the rooms of one of its workers see it.
struct FleetRooms: RoomNetwork {
    let fleet: Fleet
    let worker: Int

    var workers: Int { self.fleet.members.count }
    var cluster: Cluster { self.fleet.cluster }
    var isBacklogged: Bool { self.fleet.isBacklogged || self.fleet.cluster.isBehind }

    func count(_ post: RoomPost, for workers: [Int]) -> Bool { self.fleet.count(post, for: workers) }
    func put(_ news: RoomNews, for worker: Int) -> Bool { self.fleet.members[worker].rooms.put(news) }
    func wake(_ worker: Int) { self.fleet.members[worker].rooms.wake() }
    func count(onTheWay bytes: Int) -> Bool {
        self.fleet.cluster.count(bytes)
        return self.fleet.memory.add(mailbox: bytes)
    }
    func memoryRose() { self.fleet.control.send(.memoryRose) }
    func delivered(_ post: RoomPost) { self.fleet.delivered(post, by: self.worker) }
    func goOn(_ sender: RoomSender) { self.fleet.members[sender.worker].mailbox.send(.goOn(sender)) }
}
