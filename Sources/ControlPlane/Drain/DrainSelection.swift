/// What a drain is about.
public enum DrainSelection: Sendable, Equatable {
    /// Everything; then the process ends.
    case process
    /// All endpoints of a backend.
    case backend(String)
    case endpoint(backend: String, name: String)
}
