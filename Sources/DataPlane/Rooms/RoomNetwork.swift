/// The workers, as a room sees them.
protocol RoomNetwork: Sendable {
    /// The index of this worker.
    var worker: Int { get }
    /// How many there are.
    var workers: Int { get }
    /// The server that several gateways share.
    var cluster: Cluster { get }
    /// Whether one of them is behind with delivering, or the server with what was sent to it.
    var isBacklogged: Bool { get }

    /// Counts a post for those workers. Call it before the first one gets it.
    ///
    /// - Returns: whether memory became scarce, so that `memoryRose` is to be called.
    func count(_ post: RoomPost, for workers: [Int]) -> Bool
    /// Tells a worker something of its rooms. It makes no system call.
    ///
    /// - Returns: whether the worker has to be woken.
    func put(_ news: RoomNews, for worker: Int) -> Bool
    func wake(_ worker: Int)
    func memoryRose()
    /// Counts bytes that are on their way to the server; negative: that came back.
    ///
    /// - Returns: whether memory became scarce, so that `memoryRose` is to be called.
    func count(onTheWay bytes: Int) -> Bool
    /// All members here have the post.
    func delivered(_ post: RoomPost)
    /// All that a client of another worker sent is delivered.
    func goOn(_ sender: RoomSender)
}
