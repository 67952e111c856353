internal import Configuration
internal import EventLoop

/// The configuration as the workers use it: an immutable snapshot, shared by all of them. A reload makes a new one and has the
/// workers swap it; endpoints, which remember how they are, go from one to the next.
final class Runtime: Sendable {
    let configuration: GatewayConfiguration
    let routeTable: RouteTable
    /// In the order of the configuration: the route table speaks of their indices.
    let routes: [Route]
    /// By name.
    let backends: [Backend]
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
        self.backends = backends
        self.routes = configuration.routes.map { settings in
            switch settings.action {
            case .backend(let name): Route(settings, names.firstIndex(of: name).map { backends[$0] })
            case .page: Route(settings, nil)
            }
        }
        let timeouts = configuration.routes.map(\.timeouts)
        self.longestHandshake = timeouts.map(\.handshake).max() ?? Timeouts().handshake
    }

    func route(named name: String) -> Route? { self.routes.first { $0.settings.name == name } }

    func backend(named name: String) -> Backend? { self.backends.first { $0.name == name } }
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
