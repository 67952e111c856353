/// What feeds one WebSocket at the admin address. It is made for the socket and ends with it.
protocol SocketFeed: AnyObject {
    /// The client has accepted some of what waited for it.
    func hasRoom()
    /// The socket is closed.
    func ended()
}
