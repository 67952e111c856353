public import Configuration

/// The routes in their order, indexed for matching: the first match wins.
public struct RouteTable: Sendable {
    /// What answers on a route; it decides which side picks the subprotocol.
    public enum Service: Equatable, Sendable {
        /// A WebSocket backend: it chooses.
        case relay
        /// A TCP backend or a built-in service: we choose.
        case terminated
        /// A page of the gateway itself: there are no sessions.
        case page(BuiltinPage)
    }

    /// In the order of the file; `match` and all route indices point into it.
    let routes: [RouteSettings]
    private let services: [Service]
    private let table: HostTable

    /// Of all routes of a configuration, which names their backends.
    public init(_ configuration: GatewayConfiguration) {
        self.routes = configuration.routes
        self.services = configuration.routes.map { Self.service(of: $0, in: configuration) }
        var table = HostTable()
        for (index, route) in configuration.routes.enumerated() {
            table.add(route.path, on: route.hosts, route: index)
        }
        self.table = table
    }

    /// What answers on the route.
    func service(of index: Int) -> Service { self.services[index] }

    /// The index of the first route for a host (as `Authority.host`) and a path (as `RequestTarget.path`).
    public func match(host: String, path: String) -> Int? { self.table.first(host: host, path: path) }

    private static func service(of route: RouteSettings, in configuration: GatewayConfiguration) -> Service {
        switch route.action {
        case .page(let page): .page(page)
        case .backend(let name):
            switch configuration.backends[name]?.kind {
            case .websocket: .relay
            case .tcp, .builtin, nil: .terminated
            }
        }
    }
}
