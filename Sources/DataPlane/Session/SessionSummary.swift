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
    /// `nil`: it has no other name than the session's id.
    var names: RequestNames?
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

/// What others call the request. An object of its own, so that only sessions that have other names carry their memory.
final class RequestNames {
    /// The id that a trusted proxy gave it, shortened to what may be shown.
    let requestID: String?
    /// The trace that it belongs to.
    let traceID: TraceID?

    private init(_ requestID: String?, _ traceID: TraceID?) {
        self.requestID = requestID
        self.traceID = traceID
    }

    /// `nil` if nothing names it. (An initializer that fails has allocated the object.)
    static func of(_ request: HTTPFields, _ arrival: Arrival) -> RequestNames? {
        let requestID = ForwardedHeaders.requestID(of: request, arrival)?.cut
        let traceID = TraceID(of: request)
        return requestID == nil && traceID == nil ? nil : RequestNames(requestID, traceID)
    }
}
