public import Configuration

/// A route and the backend that it leads to.
public final class Route: Sendable {
    /// The route as configured.
    public let settings: RouteSettings
    /// `nil` where the gateway answers itself.
    public let backend: Backend?

    /// A route to `backend`; `nil` where the gateway answers itself.
    public init(_ settings: RouteSettings, _ backend: Backend?) {
        self.settings = settings
        self.backend = backend
    }
}
