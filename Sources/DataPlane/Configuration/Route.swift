public import Configuration

/// A route and the backend that it leads to.
public final class Route: Sendable {
    /// The route as configured.
    public let settings: RouteSettings
    /// `nil` for a page.
    public let backend: Backend?

    /// A route to `backend`; `nil` for a page.
    public init(_ settings: RouteSettings, _ backend: Backend?) {
        self.settings = settings
        self.backend = backend
    }
}
