public import Configuration

/// What a request's head leads to.
public enum Decision: Equatable, Sendable {
    case upgrade(Admitted)
    /// A page that the gateway has built in. `host` is the one that was asked for (as `Authority.host`); `headOnly`: the request is a HEAD.
    case page(BuiltinPage, routeIndex: Int, host: String, headOnly: Bool)
    case refused(Refusal)
}
