internal import Configuration
internal import EventLoop

/// The configuration as the workers use it: immutable, shared by all of them.
final class Runtime: Sendable {
    let configuration: GatewayConfiguration
    let routeTable: RouteTable
    /// In the order of the configuration: the route table speaks of their indices.
    let routes: [Route]
    let backends: [Backend]

    init(_ configuration: GatewayConfiguration) {
        self.configuration = configuration
        self.routeTable = RouteTable(configuration)
        let names = configuration.backends.keys.sorted()
        let backends = names.enumerated().map { Backend(index: $0.offset, configuration.backends[$0.element]!) }
        self.backends = backends
        self.routes = configuration.routes.map { settings in
            switch settings.action {
            case .backend(let name): Route(settings, names.firstIndex(of: name).map { backends[$0] })
            case .page: Route(settings, nil)
            }
        }
    }

    /// The longest time that any session may take for its opening handshake: the limit while its route is not known yet.
    var longestHandshake: Duration { self.routes.map(\.settings.timeouts.handshake).max() ?? Timeouts().handshake }

    /// The longest time that any session may take to close.
    var longestClose: Duration { self.routes.map(\.settings.timeouts.close).max() ?? Timeouts().close }
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

/// A named group of endpoints, or a built-in service.
final class Backend: Sendable {
    /// The place of what each worker keeps for this backend.
    let index: Int
    let settings: BackendSettings
    /// Empty for a built-in service.
    let endpoints: [Endpoint]
    /// Where connections come from; `nil`: the system's choice.
    let source: SocketAddress?

    init(index: Int, _ settings: BackendSettings) {
        self.index = index
        self.settings = settings
        self.endpoints =
            switch settings.kind {
            case .builtin: []
            case .websocket(let endpoints): endpoints.map { Endpoint($0) }
            case .tcp(let endpoints, _): endpoints.map { Endpoint($0) }
            }
        self.source = settings.source.map { SocketAddress($0, port: 0) }
    }

    var name: String { self.settings.name }
}
