internal import Connections
internal import Sessions
internal import System

/// What a request leads to besides an answer of the gateway's own: a session that is being opened, a request that is passed on, or a file.
///
/// The client's connection stays `ClientConnection`'s, which passes on what happens to it and to the gateway.
protocol Exchange: AnyObject {
    /// How far it has come, for the log and tables.
    var phase: Phase { get }
    /// Its row in the table; `nil` if it is over.
    var row: SessionRow? { get }
    /// The bytes that the backend's socket has not accepted.
    var queuedBytes: Int { get }

    /// It is no session, but a plain request that is answered.
    var isPlain: Bool { get }
    /// The head of the answer was sent.
    var hasAnswered: Bool { get }

    /// There is news of the client's connection, or it is its turn to read on.
    func ready(client: Connection, _ readiness: Readiness)
    /// The gateway ends the exchange.
    func close(_ ending: Ending)
    /// The exchange has to end because memory is needed.
    func memoryNeeded()
    func isSelected(by selection: SessionSelection) -> Bool
}
