internal import Admission
internal import Connections
internal import HTTP1
internal import System

/// What a session needs until its 101 and not a moment longer: a session that has been open for a day should not carry its
/// request head.
///
/// An object of its own, so that a session that is open does not carry its memory.
final class Opening {
    /// What was in force when the session began, and holds until it is open.
    let configuration: WorkerConfiguration
    /// What the client sent of its request head, as long as that is not whole.
    var inbox: [UInt8] = []
    var parser = RequestHeadParser()
    /// What the client sent behind its head, without waiting for the 101.
    var early: [UInt8] = []
    var admitted: Admitted?

    /// The endpoints that were chosen so far, the present one last.
    var endpoints: [Endpoint] = []
    /// While the present one is connected to, TLS included.
    var connector: Connector? {
        didSet { oldValue?.end() }
    }
    var backendHandshake: BackendHandshake?

    /// What was read and is kept, in bytes.
    var memory: Int { self.inbox.capacity + self.early.capacity }

    init(_ configuration: WorkerConfiguration) { self.configuration = configuration }
}
