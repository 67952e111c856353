package import Configuration

/// A route and the backend that it leads to.
package final class Route: Sendable {
    package let settings: RouteSettings
    /// `nil` for a page.
    package let backend: Backend?

    package init(_ settings: RouteSettings, _ backend: Backend?) {
        self.settings = settings
        self.backend = backend
    }
}
