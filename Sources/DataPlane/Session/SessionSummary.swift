internal import Admission
internal import Configuration
internal import Connections
internal import Observability
internal import Sessions
internal import System
internal import TLS
internal import WebSocketProtocol

/// What the log says of a session beside its end.
struct SessionSummary {
    /// The client as far as proxies we trust name it; `nil`: the peer itself.
    var client: IPAddress?
    /// The path it asked for has a `%2F`. Here it takes no memory.
    var hasEncodedSlash = false
    var proxied: ProxiedSummary?
    /// At most as long as it may be shown: no session is opened with one that had to be cut.
    var origin: String?
    var subprotocol = AgreedSubprotocol.none
}

/// What a proxy we trust says beside the client. An object of its own, which sessions that came by none do not carry.
final class ProxiedSummary {
    /// What it calls the request, at most as long as it may be shown.
    let requestID: String

    init(requestID: String) { self.requestID = requestID }
}
