/// What to drain.
public enum DrainSelection: Sendable, Equatable {
    /// Every session. Then the process ends.
    case process
    /// All endpoints of the backend with this name.
    case backend(String)
    /// One endpoint, by the names that it and its backend have in the configuration.
    case endpoint(backend: String, name: String)
}
