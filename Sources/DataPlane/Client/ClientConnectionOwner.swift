internal import Configuration

/// Owns the connections of clients until they are closed, or sessions have them: the worker.
protocol ClientConnectionOwner: AnyObject {
    /// The rooms, as its thread has them.
    var rooms: Rooms { get }

    /// The PROXY header is read: from now on the connection counts for the address in it.
    ///
    /// - Returns: the rule of the listener that it breaks; `nil`: it may go on.
    func admits(_ client: ClientConnection) -> DoorRule?
    /// The request head is whole, or the connection ended without one.
    func isNoLongerNew(_ client: ClientConnection)
    /// The connection waits for another request.
    func isNewAgain(_ client: ClientConnection)
    /// A token names a key that is not among those of its URL.
    func doubts(_ keys: KeySource)
    /// A request is passed on. A drain that has begun may apply to it.
    func passes(_ client: ClientConnection)
    /// The session that is about to send its 101 has the connection now.
    func handedOver(_ client: ClientConnection, to session: Session)
    /// The connection is closed.
    func ended(_ client: ClientConnection)
}
