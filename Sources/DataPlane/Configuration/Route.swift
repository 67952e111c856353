public import Configuration

/// A route and the backend that it leads to.
public final class Route: Sendable {
    /// The route as configured.
    public let settings: RouteSettings
    /// `nil` where the gateway answers itself.
    public let backend: Backend?
    /// What counts against its limits; the same object across reloads.
    let scope: LimitScope

    /// A route to `backend`; `nil` where the gateway answers itself.
    ///
    /// - Parameter previous: the same route until now.
    public init(_ settings: RouteSettings, _ backend: Backend?, replacing previous: Route? = nil) {
        self.settings = settings
        self.backend = backend
        self.scope = previous?.scope ?? LimitScope()
    }
}
