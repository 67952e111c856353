package import Configuration

/// The routes in their order, ready to be matched: the first match wins.
package struct RouteTable: Sendable {
    /// What answers on a route: who chooses the subprotocol depends on it.
    package enum Service: Equatable, Sendable {
        /// A WebSocket backend: it chooses.
        case relay
        /// A TCP backend or a built-in service: we choose.
        case terminated
        case page(RouteSettings.Page)
    }

    private struct Entry: Sendable {
        var path: PathPattern
        var hosts: [HostPattern]
    }

    /// In the order of the file; `match` and all route indices point into it.
    package let routes: [RouteSettings]
    private let services: [Service]
    private let entries: [Entry]

    package init(_ configuration: GatewayConfiguration) {
        self.routes = configuration.routes
        self.services = configuration.routes.map { Self.service(of: $0, in: configuration) }
        self.entries = configuration.routes.map { Entry(path: Self.normalised($0.path), hosts: $0.hosts) }
    }

    /// What answers on the route.
    package func service(of index: Int) -> Service { self.services[index] }

    /// The index of the first route for a host (as `Authority.host`) and a path (as `RequestTarget.path`).
    package func match(host: String, path: String) -> Int? {
        self.entries.firstIndex { entry in
            guard entry.path.matches(path) else { return false }
            return entry.hosts.isEmpty || entry.hosts.contains { $0.matches(host) }
        }
    }

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

    /// The pattern as requests' paths are written when they are compared with it.
    private static func normalised(_ pattern: PathPattern) -> PathPattern {
        switch pattern {
        case .exact(let path): .exact((try? RequestTarget.normalised(path)) ?? path)
        case .subtree(let prefix): .subtree((try? RequestTarget.normalised(prefix)) ?? prefix)
        }
    }
}

extension PathPattern {
    /// Whether a path is the one named, or in the subtree.
    func matches(_ path: String) -> Bool {
        switch self {
        case .exact(let exact): exact == path
        case .subtree(let prefix): path.utf8.starts(with: prefix.utf8)
        }
    }
}
