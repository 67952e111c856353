internal import Admission
internal import Connections
internal import ProxyProtocol
internal import Sessions

/// The client of a session that is being opened: it has the connection until the 101, and answers if there is no session.
protocol SessionClient: AnyObject {
    /// What a backend is told of the client, if it wants a PROXY header.
    var announcement: ProxyHeader { get }
    /// The session is about to send its 101: gives it the connection, and what came behind the request.
    func open(_ session: Session) -> (connection: Connection, early: [UInt8])?
    /// There is no session: sends the client `refusal`, and then closes its connection.
    ///
    /// - Parameters:
    ///   - subject: what the log line begins with.
    ///   - phase: how far the session had come.
    func refuse(_ refusal: Refusal, of subject: LogSubject, in phase: Phase)
    /// There is no session: passes the backend's refusal on.
    func passOn(_ refused: RefusedUpgrade)
    /// There is no session, and the client is told nothing.
    func leave()
    /// Ends the session or the connection because memory is needed.
    func freeMemory()
}
