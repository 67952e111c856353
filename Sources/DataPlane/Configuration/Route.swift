public import Configuration

/// A route and the backend that it leads to.
public final class Route: Sendable {
    public let settings: RouteSettings
    /// `nil` for a page.
    public let backend: Backend?

    public init(_ settings: RouteSettings, _ backend: Backend?) {
        self.settings = settings
        self.backend = backend
    }
}
