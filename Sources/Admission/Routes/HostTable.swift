internal import Configuration

/// The routes by their hosts and paths: finding the first one for a request takes as long with ten thousand routes as with one.
struct HostTable: Sendable {
    /// The routes of any host.
    private var anyHost = PathTable()
    /// By host, as `Authority.host`.
    private var hosts: [String: PathTable] = [:]
    /// By the domain after `*.`.
    private var domains: [Substring: PathTable] = [:]

    init() {}

    /// Adds a route, after those that were added before.
    mutating func add(_ path: PathPattern, on hosts: [HostPattern], route: Int) {
        if hosts.isEmpty { self.anyHost.add(path, route: route) }
        for host in hosts {
            switch host {
            case .exact(let name): self.hosts[name, default: PathTable()].add(path, route: route)
            case .subdomains(let domain): self.domains[domain[...], default: PathTable()].add(path, route: route)
            }
        }
    }

    /// The route that was added first for a host (as `Authority.host`) and a path (as `RequestTarget.path`).
    func first(host: String, path: String) -> Int? {
        var first = FirstRoute(self.anyHost.first(path))
        first.take(self.hosts[host]?.first(path))
        guard !self.domains.isEmpty else { return first.index }
        // Each domain that the host is below, the longest first; at least one label stands before it.
        var domain = host[...]
        while let dot = domain.utf8.dropFirst().firstIndex(of: UInt8(ascii: ".")) {
            domain = domain[domain.utf8.index(after: dot)...]
            first.take(self.domains[domain]?.first(path))
        }
        return first.index
    }
}
