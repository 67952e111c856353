internal import Admission
internal import Configuration
internal import System

/// The configuration as the workers use it: an immutable snapshot, shared by all of them. A reload makes a new one and has the
/// workers swap it; endpoints, which remember how they are, go from one to the next.
final class Runtime: Sendable {
    let configuration: GatewayConfiguration
    let routeTable: RouteTable
    /// In the order of the configuration: the route table speaks of their indices.
    let routes: [Route]
    /// By name.
    let backends: [Backend]
    /// The places of backends, and of the first route of each name.
    private let backendIndices: [String: Int]
    private let routeIndices: [String: Int]
    /// The longest time that any session may take for its opening handshake: the limit while its route is not known yet.
    let longestHandshake: Duration

    /// - Parameter previous: what was in force until now.
    init(_ configuration: GatewayConfiguration, replacing previous: Runtime? = nil) {
        self.configuration = configuration
        self.routeTable = RouteTable(configuration)
        let names = configuration.backends.keys.sorted()
        let backends = names.enumerated().map { index, name in
            Backend(index: index, configuration.backends[name]!, replacing: previous?.backend(named: name))
        }
        let indices = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        self.backends = backends
        self.backendIndices = indices
        self.routes = configuration.routes.map { settings in
            switch settings.action {
            case .backend(let name): Route(settings, indices[name].map { backends[$0] })
            case .page: Route(settings, nil)
            }
        }
        self.routeIndices = Dictionary(
            configuration.routes.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        let timeouts = configuration.routes.map(\.timeouts)
        self.longestHandshake = timeouts.map(\.handshake).max() ?? Timeouts().handshake
    }

    func route(named name: String) -> Route? { self.routeIndices[name].map { self.routes[$0] } }

    func backend(named name: String) -> Backend? { self.backendIndices[name].map { self.backends[$0] } }
}

/// A route and the backend it leads to.
final class Route: Sendable {
    let settings: RouteSettings
    /// `nil` for a page.
    let backend: Backend?

    init(_ settings: RouteSettings, _ backend: Backend?) {
        self.settings = settings
        self.backend = backend
    }
}
