internal import Sessions

/// A member of a room, on its worker.
protocol RoomMember: AnyObject {
    var id: SessionID { get }
    /// The index among the members of its room; negative if it is not there. The room sets it.
    var place: Int { get set }
    /// What closes it.
    var closable: any Closable { get }

    /// The member gets a post.
    func deliver(_ delivery: RoomDelivery)
}
