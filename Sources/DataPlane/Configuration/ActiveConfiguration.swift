public import Admission
public import Configuration
public import System
public import TLS

/// The configuration in force, and everything that is made from it once. Immutable, and shared by all threads. A reload makes another one,
/// which takes over the endpoints that both have, including their health.
public final class ActiveConfiguration: Sendable {
    /// The configuration as it was read.
    public let settings: GatewayConfiguration
    /// Finds a request's route: an index into `routes`.
    public let routeTable: RouteTable
    /// In the order of the file; the route table has their indices.
    public let routes: [Route]
    /// By name.
    public let backends: [Backend]
    /// Those of all routes, each once.
    public let authServices: [AuthService]
    /// TLS to the endpoints of each backend; `nil` without TLS.
    public let clientTLS: [TLSClientSettings?]
    /// TLS to each auth service; `nil` without TLS.
    public let authTLS: [TLSClientSettings?]
    /// TLS to the server of `cluster`; `nil` without TLS.
    public let clusterTLS: TLSClientSettings?
    /// The longest `timeouts.handshake` of all routes: it holds until a session's route is known.
    public let longestHandshake: Duration
    /// The index of each backend; `routeIndices` has the first route of each name.
    private let backendIndices: [String: Int]
    private let routeIndices: [String: Int]
    /// For routes that are alike, the first one: it has all of their sessions.
    private let routesByKey: [RouteKey: Route]

    /// Makes routes, backends and TLS settings.
    ///
    /// - Parameters:
    ///   - files: the contents of the files that `settings` names.
    ///   - previous: the configuration until now.
    /// - Throws: what is wrong with certificates, keys or authorities.
    public init(
        _ settings: GatewayConfiguration, files: FileSet = FileSet(), replacing previous: ActiveConfiguration? = nil
    ) throws(StartError) {
        self.settings = settings
        self.routeTable = RouteTable(settings)
        let names = settings.backends.keys.sorted()
        let backends = names.enumerated().map { index, name in
            Backend(index: index, settings.backends[name]!, replacing: previous?.backend(named: name))
        }
        let indices = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        let services = Self.authServices(of: settings, previous?.authServices ?? [])
        let routes = settings.routes.map { route in
            Route(
                route, route.action.backend.flatMap { indices[$0] }.map { backends[$0] },
                route.forward.flatMap { forward in services.first { $0.isOf(forward) } },
                replacing: previous?.route(like: route))
        }
        self.backends = backends
        self.authServices = services
        self.backendIndices = indices
        self.routes = routes
        self.routeIndices = Dictionary(
            settings.routes.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.routesByKey = Dictionary(
            routes.map { (RouteKey($0.settings), $0) }, uniquingKeysWith: { first, _ in first })
        self.longestHandshake = settings.routes.map(\.timeouts.handshake).max() ?? Timeouts().handshake
        self.clientTLS = try Self.clientTLS(of: backends, files)
        self.authTLS = try Self.authTLS(of: services, files)
        self.clusterTLS = try settings.cluster.flatMap { cluster throws(StartError) in
            try CertificateFiles.client(cluster, files)
        }
    }

    /// The same configuration with the present contents of its files. Throws what is wrong with them.
    public init(_ same: ActiveConfiguration, files: FileSet) throws(StartError) {
        self.settings = same.settings
        self.routeTable = same.routeTable
        self.routes = same.routes
        self.backends = same.backends
        self.authServices = same.authServices
        self.longestHandshake = same.longestHandshake
        self.backendIndices = same.backendIndices
        self.routeIndices = same.routeIndices
        self.routesByKey = same.routesByKey
        self.clientTLS = try Self.clientTLS(of: same.backends, files)
        self.authTLS = try Self.authTLS(of: same.authServices, files)
        self.clusterTLS = try same.settings.cluster.flatMap { cluster throws(StartError) in
            try CertificateFiles.client(cluster, files)
        }
    }

    /// Those of all routes, each once.
    private static func authServices(
        of settings: GatewayConfiguration, _ previous: [AuthService]
    ) -> [AuthService] {
        var services: [AuthService] = []
        for forward in settings.routes.compactMap(\.forward) where !services.contains(where: { $0.isOf(forward) }) {
            services.append(
                AuthService(index: services.count, forward, replacing: previous.first { $0.isOf(forward) }))
        }
        return services
    }

    private static func clientTLS(
        of backends: [Backend], _ files: FileSet
    ) throws(StartError) -> [TLSClientSettings?] {
        var settings: [TLSClientSettings?] = []
        var authorities: [String: TrustedAuthorities] = [:]
        for backend in backends {
            settings.append(try CertificateFiles.client(backend.settings, files, &authorities))
        }
        return settings
    }

    private static func authTLS(
        of services: [AuthService], _ files: FileSet
    ) throws(StartError) -> [TLSClientSettings?] {
        var settings: [TLSClientSettings?] = []
        for service in services { settings.append(try CertificateFiles.client(service.url, ca: service.ca, files)) }
        return settings
    }

    /// Everything of which a host name may have to be looked up.
    public var allEndpoints: [Endpoint] {
        self.backends.flatMap(\.allEndpoints) + self.authServices.map(\.endpoint)
    }

    /// Whether this very object is one of the auth services.
    func has(_ service: AuthService) -> Bool {
        self.authServices.indices.contains(service.index) && self.authServices[service.index] === service
    }

    /// The first route of this name, if there is one.
    public func route(named name: String) -> Route? { self.routeIndices[name].map { self.routes[$0] } }

    /// The route with the same name, path, hosts and scheme, if there is one.
    public func route(like settings: RouteSettings) -> Route? { self.routesByKey[RouteKey(settings)] }

    /// The backend of this name, if there is one.
    public func backend(named name: String) -> Backend? { self.backendIndices[name].map { self.backends[$0] } }
}

/// What makes two routes the same. The name alone is not enough: a route without one is named after its first host and path.
private struct RouteKey: Hashable {
    let name: String
    let path: PathPattern
    let hosts: [HostPattern]
    let scheme: ClientScheme?

    init(_ settings: RouteSettings) {
        self.name = settings.name
        self.path = settings.path
        self.hosts = settings.hosts
        self.scheme = settings.scheme
    }
}
