public import Configuration
internal import Credentials

/// The routes in their order, indexed for matching: the first match wins.
public final class RouteTable: Sendable {
    /// What answers on a route; it decides which side picks the subprotocol.
    public enum Service: Equatable, Sendable {
        /// A WebSocket backend: it chooses.
        case relay
        /// A TCP backend or a built-in service: we choose.
        case terminated
        /// A page of the gateway itself: there are no sessions.
        case page(BuiltinPage)
        /// The same answer for all requests, also for upgrades.
        case answer(Answer)
        /// Clients are sent elsewhere, also with upgrades.
        case redirect(RedirectSettings)
        /// Files, also for upgrades. Where there is a backend beside them, that one answers upgrades.
        case files
        /// Bodies of requests are messages for rooms.
        case publish
    }

    /// In the order of the file; `match` and all route indices point into it.
    let routes: [RouteSettings]
    private let services: [Service]
    private let allCredentials: [RouteCredentials?]
    /// Where a request to the backend of each route has the token that names its endpoint.
    private let tokenPlaces: [Int: TargetTokenPlace]
    /// The routes with a `broadcast` backend.
    private let roomRoutes: Set<Int>
    /// Whether connections are kept on any route.
    let keepsClients: Bool
    /// Whether a client certificate may let a client in, on any route.
    public let asksForCertificates: Bool
    private let http: HostTable
    private let https: HostTable

    /// Of all routes of a configuration, which names their backends.
    public init(_ configuration: GatewayConfiguration) {
        self.routes = configuration.routes
        self.services = configuration.routes.map { Self.service(of: $0, in: configuration) }
        self.allCredentials = configuration.routes.map(Self.credentials)
        self.asksForCertificates = self.allCredentials.contains { $0?.asksForCertificates == true }
        let places = configuration.routes.enumerated().compactMap { index, route in
            route.action.backend.flatMap { configuration.backends[$0]?.tokenPlace }.map { (index, $0) }
        }
        self.tokenPlaces = Dictionary(uniqueKeysWithValues: places)
        self.roomRoutes = Set(
            configuration.routes.indices.filter { index in
                let action = configuration.routes[index].action
                let kind = action.backend.flatMap { configuration.backends[$0]?.kind }
                return action.opensSessions && kind == .builtin(.broadcast)
            })
        self.keepsClients = zip(self.services, self.routes).contains(where: Self.keepsClients)
        func table(of scheme: ClientScheme) -> HostTable {
            var table = HostTable()
            for (index, route) in configuration.routes.enumerated() where (route.scheme ?? scheme) == scheme {
                table.add(route.path, on: route.hosts, route: index)
            }
            return table
        }
        self.http = table(of: .http)
        // Most configurations have no use for a second table.
        self.https = configuration.routes.allSatisfy { $0.scheme == nil } ? self.http : table(of: .https)
    }

    /// What answers on the route.
    func service(of index: Int) -> Service { self.services[index] }

    /// What a client has to show on the route; `nil`: nothing.
    func credentials(of index: Int) -> RouteCredentials? { self.allCredentials[index] }

    /// A redirect asks for none: before one to https a password would come in clear.
    private static func credentials(of route: RouteSettings) -> RouteCredentials? {
        if case .redirect = route.action { return nil }
        return route.auth.isEmpty ? nil : RouteCredentials(route.auth)
    }

    /// Where a request has the token that names its endpoint; `nil` where the route's backend has no tokens.
    func tokenPlace(of index: Int) -> TargetTokenPlace? { self.tokenPlaces[index] }

    /// Whether the route leads to rooms.
    func hasRooms(_ index: Int) -> Bool { self.roomRoutes.contains(index) }

    /// Whether any route leads to a backend with tokens.
    var hasTokens: Bool { !self.tokenPlaces.isEmpty }

    /// A path, without what may be a token of a route with `token: path`.
    ///
    /// - Parameters:
    ///   - path: normalised, or as sent.
    ///   - route: the one that the request came by; `nil`: none. It may be its host or scheme alone that led it away from the tokens.
    public func withoutToken(_ path: String, on route: RouteSettings?) -> String {
        let prefixes = self.tokenPrefixes(upTo: route)
        guard !prefixes.isEmpty else { return path }
        guard let normal = try? NormalPath(path) else { return "/*" }
        return prefixes.filter(normal.text.hasPrefix).min { $0.utf8.count < $1.utf8.count }.map { "\($0)*" } ?? path
    }

    /// What stands before the tokens in paths. Behind a route of every host and scheme no other one gets the path.
    private func tokenPrefixes(upTo route: RouteSettings?) -> [String] {
        guard !self.tokenPlaces.isEmpty else { return [] }
        var last = self.routes.count
        if let route, route.hosts.isEmpty, route.scheme == nil {
            last = self.routes.firstIndex { $0.name == route.name } ?? last
        }
        return self.tokenPlaces.compactMap { index, place in
            guard place == .path, index <= last, case .subtree(let prefix) = self.routes[index].path else { return nil }
            return prefix
        }
    }

    /// Whether requests that ask for no upgrade are served on the route.
    func servesPlainHTTP(_ index: Int) -> Bool {
        if case .page = self.services[index] { true } else { self.keepsClients(index) }
    }

    /// Whether a client's connection is kept for another request after an answer. A page is all that is asked for.
    func keepsClients(_ index: Int) -> Bool { Self.keepsClients(self.services[index], self.routes[index]) }

    private static func keepsClients(_ service: Service, _ route: RouteSettings) -> Bool {
        switch service {
        case .page: return false
        case .answer, .redirect, .files, .publish: return true
        case .relay, .terminated:
            if case .files = route.action { return true }
            return route.http == .pass
        }
    }

    /// The index of the first route for the client's scheme, a host (as `Authority.host`) and a path (as `RequestTarget.path`).
    public func match(_ scheme: ClientScheme, host: String, path: String) -> Int? {
        switch scheme {
        case .http: self.http.first(host: host, path: path)
        case .https: self.https.first(host: host, path: path)
        }
    }

    /// The path of a route that the request would have come by with a slash more at its end, or with one less.
    func nearest(to path: String, for request: ForwardedHeaders) -> PathPattern? {
        let other = path.hasSuffix("/") ? String(path.dropLast()) : path + "/"
        return self.match(request.scheme, host: request.host.host, path: other).map { self.routes[$0].path }
    }

    private static func service(of route: RouteSettings, in configuration: GatewayConfiguration) -> Service {
        switch route.action {
        case .page(let page): .page(page)
        case .answer(let settings): .answer(Answer(settings))
        case .redirect(let settings): .redirect(settings)
        case .files(_, backend: nil): .files
        case .publish: .publish
        case .backend(let name), .files(_, backend: let name?):
            switch configuration.backends[name]?.kind {
            case .websocket: .relay
            case .tcp, .tokens, .builtin, nil: .terminated
            }
        }
    }
}

extension RouteTable {
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

    /// The routes of one host by their paths.
    struct PathTable: Sendable {
        /// The first route of each path.
        private var exact: [String: Int] = [:]
        /// By the prefix, with its closing slash.
        private var subtrees: [Substring: Int] = [:]
        /// The lengths of the prefixes, ascending: a long path with many slashes costs no more than there are lengths.
        private var prefixLengths: [Int] = []

        init() {}

        mutating func add(_ path: PathPattern, route: Int) {
            switch path {
            case .exact(let path): if self.exact[path] == nil { self.exact[path] = route }
            case .subtree(let prefix):
                guard self.subtrees[prefix[...]] == nil else { return }
                self.subtrees[prefix[...]] = route
                let length = prefix.utf8.count
                let place = self.prefixLengths.firstIndex { $0 >= length } ?? self.prefixLengths.count
                let isKnown = place < self.prefixLengths.count && self.prefixLengths[place] == length
                if !isKnown { self.prefixLengths.insert(length, at: place) }
            }
        }

        /// The first route for a path.
        func first(_ path: String) -> Int? {
            var first = FirstRoute(self.exact[path])
            for length in self.prefixLengths {
                guard length <= path.utf8.count else { break }
                let end = path.utf8.index(path.startIndex, offsetBy: length)
                guard path.utf8[path.utf8.index(before: end)] == UInt8(ascii: "/") else { continue }
                first.take(self.subtrees[path[..<end]])
            }
            return first.index
        }
    }

    /// The one of several routes that stands first in the file.
    struct FirstRoute {
        private(set) var index: Int?

        init(_ index: Int?) { self.index = index }

        mutating func take(_ other: Int?) {
            guard let other else { return }
            self.index = min(self.index ?? other, other)
        }
    }
}
