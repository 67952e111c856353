internal import Configuration

/// A route and the backend that it leads to.
final class Route: Sendable {
    let settings: RouteSettings
    /// `nil` for a page.
    let backend: Backend?

    init(_ settings: RouteSettings, _ backend: Backend?) {
        self.settings = settings
        self.backend = backend
    }
}
