/// Finds the routes that no request reaches: the first match wins, so earlier routes may take all that a later one would match.
///
/// Subdomains, subtrees and "any host" have no end, and no number of smaller sets takes all of one. So each host pattern is taken by one
/// earlier route or by none, and to find it takes as long with thousands of routes as with one.
struct RouteReach {
    private struct Place: Hashable {
        let scheme: ClientScheme
        /// `nil`: any host.
        let host: HostPattern?
        let path: PathPattern
    }

    /// Those that requests can have.
    private let schemes: [ClientScheme]
    private var routes: [(name: String, line: Int)] = []
    /// The index of the first route of each place.
    private var first: [Place: Int] = [:]

    /// - Parameter trusted: Only they can say that a client came by another scheme than that of the listener; `nil`: there may be some.
    init(_ listeners: [ListenerSettings], trusted: TrustedProxies?) {
        self.schemes = ClientScheme.allCases.filter { scheme in
            trusted != TrustedProxies() || listeners.contains { ($0.tls == nil) == (scheme == .http) }
        }
    }

    /// Adds a route behind the others.
    ///
    /// - Returns: Why no request reaches it; `nil`: some do.
    mutating func add(_ route: RouteSettings, line: Int) -> String? {
        let schemes = self.schemes.filter { ($0 == route.scheme ?? $0) }
        let hosts = route.hosts.isEmpty ? [nil] : route.hosts.map(Optional.some)
        let places = schemes.flatMap { scheme in
            hosts.map { Place(scheme: scheme, host: $0, path: route.path) }
        }
        let takers = places.map(self.taker)
        for place in places where self.first[place] == nil { self.first[place] = self.routes.count }
        self.routes.append((route.name, line))
        if let scheme = route.scheme, schemes.isEmpty {
            let listeners = scheme == .https ? "no listener has `tls`" : "every listener has `tls`"
            return
                "route `\(route.name)` is never reached: it is for \(scheme.rawValue), \(listeners), and there are no "
                + "`trusted-proxies` that could say so"
        }
        guard !takers.contains(nil) else { return nil }
        let others = Set(takers.compactMap(\.self)).sorted().map { self.routes[$0] }
            .map { "route `\($0.name)` on line \($0.line)" }
        let take = others.count == 1 ? "takes" : "take"
        return
            "route `\(route.name)` is never reached: \(others.joined(separator: " and ")) \(take) all of its requests; "
            + "move it up, or remove it"
    }

    /// The first route that takes all of a place.
    private func taker(of place: Place) -> Int? {
        let paths = place.path.holders
        return (place.host?.holders ?? [nil]).flatMap { host in
            paths.compactMap { self.first[Place(scheme: place.scheme, host: host, path: $0)] }
        }.min()
    }
}

extension HostPattern {
    /// All patterns that match every host of this one; `nil`: any host.
    fileprivate var holders: [HostPattern?] {
        let name =
            switch self {
            case .exact(let name): name
            case .subdomains(let domain): domain
            }
        let domains = name.utf8.indices.dropFirst().filter { name.utf8[$0] == UInt8(ascii: ".") }
            .map { HostPattern.subdomains(of: String(name[name.utf8.index(after: $0)...])) }
        return [nil, self] + domains
    }
}

extension PathPattern {
    /// All patterns that match every path of this one.
    fileprivate var holders: [PathPattern] {
        let path =
            switch self {
            case .exact(let path): path
            case .subtree(let prefix): prefix
            }
        let subtrees = path.utf8.indices.filter { path.utf8[$0] == UInt8(ascii: "/") }
            .map { PathPattern.subtree(String(path[...$0])) }
        return if case .exact = self { [self] + subtrees } else { subtrees }
    }
}
