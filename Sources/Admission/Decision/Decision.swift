public import Configuration

/// What a request's head leads to.
public enum Decision: Equatable, Sendable {
    /// The request may become a session, if its backend agrees.
    case upgrade(Admitted)
    /// A page that the gateway has built in. `host` is the one that was asked for (as `Authority.host`); `headOnly`: the request is a HEAD.
    case page(BuiltinPage, routeIndex: Int, host: String, headOnly: Bool)
    /// The client gets the answer in it, and the connection is closed.
    case refused(Refusal)
}
