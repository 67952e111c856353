internal import Admission
internal import Connections
internal import System

/// What a session needs only until its 101, such as its request. An object of its own, so that an open session does not carry its memory.
final class Opening {
    // A reference cycle that the session breaks when it is open, or ends.
    let client: any SessionClient
    /// The configuration in force when the request was whole. It holds until the session is open.
    let configuration: WorkerConfiguration
    let admitted: Admitted
    /// The endpoint that the request asks for.
    let placement: Placement
    /// The endpoint that the request's token stands for.
    let target: Endpoint?

    /// The endpoints chosen so far, the present one last.
    var endpoints: [Endpoint] = []
    /// Not `nil` while the present one is being connected to, TLS included.
    var connector: Connector? {
        didSet { oldValue?.end() }
    }
    var backendHandshake: BackendHandshake?
    /// It asked for a place in a room, which it has not taken.
    var waitsForPlace = false

    init(
        _ client: any SessionClient, _ configuration: WorkerConfiguration, _ admitted: Admitted,
        _ placement: Placement, _ target: Endpoint?
    ) {
        self.client = client
        self.configuration = configuration
        self.admitted = admitted
        self.placement = placement
        self.target = target
    }
}
