internal import Configuration
internal import Sessions
internal import System

/// What sessions are found and sorted by. Cheaper than a row.
struct SessionTraits {
    let id: SessionID
    let route: Route?
    let endpoint: Endpoint?
    /// As trusted proxies name it; `nil` on a Unix socket.
    let client: IPAddress?
    let credential: CredentialSummary?
    let began: MonotonicInstant
    /// Bytes that sockets have not accepted, of both legs.
    var queued = 0
    /// The longer of the two legs' latest round trips; zero if none is known.
    var roundTripTime = Duration.zero
    /// Messages in both directions.
    var messages: UInt64 = 0
}
