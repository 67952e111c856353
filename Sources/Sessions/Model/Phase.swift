/// How far a session has come; the log's `phase` uses these words.
///
/// Routing, admission and the choice of an endpoint take no time, so they are no phases: they happen between `requestHead` and
/// `connect`. An arrow shows which phases may follow.
public enum Phase: String, Sendable {
    /// The header of a proxy in front. → tlsHandshake, requestHead, closed
    case proxyHeader = "proxy-header"
    /// → requestHead, closed
    case tlsHandshake = "tls-handshake"
    /// → connect, serve, closing (a page or a refusal), closed
    case requestHead = "request-head"
    /// TCP and TLS to the endpoint. → backendHandshake, bridge, closing (502, 504), closed
    case connect
    /// → relay, closing (a refusal), closed
    case backendHandshake = "backend-handshake"
    case relay
    case bridge
    case serve
    /// A closing handshake is in progress, or an answer is being sent. → closed
    case closing
    case closed
}
