internal import Admission
internal import Connections
internal import HTTP1
internal import System

/// What a session needs only until its 101, such as its request head. An object of its own, so that an open session does not carry its
/// memory.
final class Opening {
    /// The configuration in force when the session began. It holds until the session is open.
    let configuration: WorkerConfiguration
    /// The client's request head, while it is not whole.
    var inbox: [UInt8] = []
    var parser = RequestHeadParser()
    /// What the client sent after its head, without waiting for the 101.
    var early: [UInt8] = []
    var admitted: Admitted?

    /// The endpoints chosen so far, the present one last.
    var endpoints: [Endpoint] = []
    /// Not `nil` while the present one is being connected to, TLS included.
    var connector: Connector? {
        didSet { oldValue?.end() }
    }
    var backendHandshake: BackendHandshake?

    /// The bytes of memory that are kept of what was read.
    var memory: Int { self.inbox.capacity + self.early.capacity }

    init(_ configuration: WorkerConfiguration) { self.configuration = configuration }
}
