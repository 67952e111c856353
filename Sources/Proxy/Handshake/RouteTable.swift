package import Configuration

/// Finds the route of a host and path: the first that matches, in the order of the configuration.
package struct RouteTable: Sendable {
    package let routes: [RouteSettings]

    package init(_ routes: [RouteSettings]) { self.routes = routes }

    /// - Parameters:
    ///   - host: lower case, without port and trailing dot.
    ///   - path: normalised.
    /// - Returns: the route's place in the configuration.
    package func match(host: String, path: String) -> Int? {
        self.routes.firstIndex { route in
            route.path.matches(path) && (route.hosts.isEmpty || route.hosts.contains { $0.matches(host) })
        }
    }
}

extension PathPattern {
    func matches(_ path: String) -> Bool {
        switch self {
        case .exact(let exact): exact == path
        case .subtree(let prefix): path.hasPrefix(prefix)
        }
    }
}
