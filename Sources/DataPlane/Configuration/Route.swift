public import Configuration

/// A route and the backend that it leads to.
public final class Route: Sendable {
    /// The route as configured.
    public let settings: RouteSettings
    /// `nil` where the gateway answers itself.
    public let backend: Backend?
    /// What decides which clients are let in; `nil` without `forward`.
    public let authService: AuthService?
    /// What counts against its limits; the same object across reloads.
    let scope: LimitScope

    /// A route to `backend`; `nil` where the gateway answers itself.
    ///
    /// - Parameters:
    ///   - authService: see `authService`.
    ///   - previous: the same route until now.
    public init(
        _ settings: RouteSettings, _ backend: Backend?, _ authService: AuthService? = nil,
        replacing previous: Route? = nil
    ) {
        self.settings = settings
        self.backend = backend
        self.authService = authService
        self.scope = previous?.scope ?? LimitScope()
    }
}
