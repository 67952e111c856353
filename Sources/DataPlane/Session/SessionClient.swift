internal import Connections
internal import Sessions
internal import System

/// The client of a session that is being opened: what its request came by, and what carries the answer if there is no session.
protocol SessionClient: AnyObject {
    var id: SessionID { get }
    var address: SocketAddress { get }
    /// When the client was accepted.
    var began: MonotonicInstant { get }
    /// When a byte last came from it.
    var lastByte: MonotonicInstant { get }
    /// For tables; the session does not use it.
    var connection: Connection? { get }

    /// The session is about to send its 101: gives it the connection, and what came behind the request.
    func open(_ session: Session) -> (connection: Connection, early: [UInt8])?
    /// There is no session: sends the client `answer`, and then closes its connection.
    func answer(_ answer: [UInt8])
    /// There is no session, and the client is told nothing.
    func leave()
    /// Ends the session or the connection because memory is needed.
    func freeMemory()
}
