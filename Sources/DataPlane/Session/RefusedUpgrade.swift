internal import Admission
internal import Connections

/// An upgrade that its backend refuses, on a route where that answers plain requests, too: the refusal goes on as such an answer.
struct RefusedUpgrade {
    let upgrade: Admitted
    /// The one that admitted it.
    let configuration: WorkerConfiguration
    let endpoint: Endpoint
    /// The connection to the endpoint, which is the session's no more.
    let connection: Connection
    /// What came of the answer, from its head on.
    let bytes: [UInt8]
}
