internal import Admission
internal import Configuration
internal import Connections
internal import HTTP1
internal import Observability
internal import Sessions
internal import System
internal import TLS
internal import WebSocketProtocol

/// What the log says of a request and its session besides the end.
struct SessionSummary {
    /// The client as trusted proxies name it; `nil` if it is the peer itself.
    var client: IPAddress?
    /// Whether its path has a `%2F`. Here it takes no memory.
    var hasEncodedSlash = false
    var proxied: ProxiedSummary?
    /// `nil`: the route asks for none.
    var credential: CredentialSummary?
    /// Short enough to show: no session is opened with a longer one.
    var origin: String?
    var subprotocol = AgreedSubprotocol.none

    /// Fields Set-Cookie of the route's auth service, which go to the client with its answer.
    var cookies: HTTPFields { self.credential?.cookies ?? HTTPFields() }

    /// The client as trusted proxies name it.
    func clientName(at address: SocketAddress) -> String {
        self.client?.description ?? address.ip?.description ?? "unix"
    }
}

/// What a trusted proxy says besides the client. An object of its own, so that only sessions behind a proxy carry its memory.
final class ProxiedSummary {
    /// The proxy's id for the request, shortened to what may be shown.
    let requestID: String

    init(requestID: String) { self.requestID = requestID }
}
