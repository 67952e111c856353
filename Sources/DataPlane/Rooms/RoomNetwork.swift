/// The workers, as a room sees them.
protocol RoomNetwork {
    /// The index of this worker.
    var worker: Int { get }
    /// How many there are.
    var workers: Int { get }
    /// Whether one of them is behind with delivering.
    var isBacklogged: Bool { get }

    /// Counts a post for those workers. Call it before the first one gets it.
    ///
    /// - Returns: whether memory became scarce, so that `memoryRose` is to be called.
    func count(_ post: RoomPost, for workers: [Int]) -> Bool
    /// Gives a post to a worker. It makes no system call.
    ///
    /// - Returns: whether the worker has to be woken.
    func put(_ post: RoomPost, for worker: Int) -> Bool
    func wake(_ worker: Int)
    func memoryRose()
    /// All members here have the post.
    func delivered(_ post: RoomPost)
    /// All that a client of another worker sent is delivered.
    func goOn(_ sender: RoomSender)
}
