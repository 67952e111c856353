/// The endpoint that a request asks for, by its backend's `balance`.
public enum Placement: Equatable, Sendable {
    /// None: whichever has its turn.
    case any
    /// The one that this value leads to, as other requests with it.
    case value(String)
    /// The one at this place among the backend's endpoints, while it is up.
    case endpoint(Int)
}
