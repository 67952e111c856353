internal import Redis
internal import WebSocketProtocol

/// A room of this gateway at the server, and what was sent to it. Confined to the thread of `ClusterRooms`.
final class SharedRoom {
    /// A message of a member that is on its way to the server and back.
    struct OnTheWay {
        let message: Message
        let sender: RoomSender
        /// About how much memory it has.
        let size: Int
    }

    /// Another one of this name may take its place, when all members have left and others come.
    var ledger: RoomLedger
    let keys: RoomKeys
    var machine: ClusterRoom
    /// How much of it the server remembers; `nil`: nothing.
    var bounds: RoomHistoryBounds?
    /// By the number that it was sent with.
    var onTheWay: [Int: OnTheWay] = [:]
    /// What has to wait until the subscription is confirmed.
    var held: [ClusterOrder] = []
    /// It has members.
    var isOpen = true

    init(_ ledger: RoomLedger, _ keys: RoomKeys, _ machine: ClusterRoom) {
        self.ledger = ledger
        self.keys = keys
        self.machine = machine
    }
}
