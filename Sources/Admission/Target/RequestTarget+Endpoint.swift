internal import Configuration

extension RequestTarget {
    /// Path and query that an endpoint is asked for, with the client's percent-encoding.
    ///
    /// - Parameter route: the path of the route that the request came by.
    func asked(of endpoint: WebSocketEndpoint, on route: PathPattern) -> String {
        let path: String
        switch endpoint.path {
        case .client: return self.original
        case .fixed(let fixed): path = fixed
        case .below(let prefix): path = prefix + self.rest(below: route)
        }
        return self.query.map { "\(path)?\($0)" } ?? path
    }

    /// What the `*` of a route's path stands for, decoded once.
    ///
    /// - Parameter pattern: that of the route that the path matches.
    func token(below pattern: PathPattern) -> String { Self.decodedPath(self.rest(below: pattern)) }

    /// The part of the path, as sent, that the `*` of a route's path stands for; empty on a route without.
    ///
    /// - Parameter pattern: that of the route that the path matches.
    private func rest(below pattern: PathPattern) -> Substring {
        guard case .subtree(let prefix) = pattern else { return "" }
        // An encoded slash is another character than a slash, in either form of the path, so the slashes of both can be counted.
        var slashes = prefix.utf8.count { $0 == UInt8(ascii: "/") }
        var rest = self.original.prefix { $0 != "?" }
        while slashes > 0, let slash = rest.utf8.firstIndex(of: UInt8(ascii: "/")) {
            rest = rest[rest.utf8.index(after: slash)...]
            slashes -= 1
        }
        return rest
    }
}

extension WebSocketEndpoint {
    /// What the endpoint's path stands for, where it ends with a star: its `X-Forwarded-Prefix`. `nil`: the endpoint sees the client's path, or
    /// one of its own.
    func prefix(on route: PathPattern) -> String? {
        guard case .below = self.path else { return nil }
        let prefix: Substring
        switch route {
        case .exact(let path): prefix = path == "/" ? "" : path[...]
        case .subtree(let path): prefix = path.dropLast()
        }
        return prefix.isEmpty ? nil : String(prefix)
    }
}
