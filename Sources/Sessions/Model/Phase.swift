/// The life of a session. The log's `phase`, the names of the functions in `Session`, and the documentation use these words.
///
/// `route`, `admit` and `choose endpoint` take no time and are no phases of their own: they happen on the way from
/// `requestHead` to `connect`.
public enum Phase: String, Sendable {
    /// → requestHead, closed
    case tlsHandshake = "tls-handshake"
    /// → connect, serve, closing (a page or a refusal), closed
    case requestHead = "request-head"
    /// TCP and TLS towards the endpoint. → backendHandshake, bridge, closing (502, 504), closed
    case connect
    /// → relay, closing (a refusal), closed
    case backendHandshake = "backend-handshake"
    case relay
    case bridge
    case serve
    /// A closing handshake, or an answer, is on its way out. → closed
    case closing
    case closed
}
