public import Admission
public import Configuration
public import System
public import TLS

/// The configuration that is in force, with all that is made of it once: immutable, and shared by all threads. A reload makes another
/// one, which takes over the endpoints that both have, and with them their health.
public final class ActiveConfiguration: Sendable {
    public let settings: GatewayConfiguration
    public let routeTable: RouteTable
    /// In the order of the file: the route table has indices of it.
    public let routes: [Route]
    /// By name.
    public let backends: [Backend]
    /// How each backend's endpoints are spoken TLS to; `nil`: they are not.
    public let clientTLS: [TLSClientSettings?]
    /// The longest time that any session may take for its opening handshake: the limit while its route is not known yet.
    public let longestHandshake: Duration
    /// Where each backend is, and the first route of each name.
    private let backendIndices: [String: Int]
    private let routeIndices: [String: Int]
    /// The first route of those that are alike, which has all the sessions.
    private let routesByKey: [RouteKey: Route]

    /// - Parameters:
    ///   - files: the contents of the files that `settings` names.
    ///   - previous: what was in force until now.
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
        let routes = settings.routes.map { route in
            switch route.action {
            case .backend(let name): Route(route, indices[name].map { backends[$0] })
            case .page: Route(route, nil)
            }
        }
        self.backends = backends
        self.backendIndices = indices
        self.routes = routes
        self.routeIndices = Dictionary(
            settings.routes.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.routesByKey = Dictionary(
            routes.map { (RouteKey($0.settings), $0) }, uniquingKeysWith: { first, _ in first })
        self.longestHandshake = settings.routes.map(\.timeouts.handshake).max() ?? Timeouts().handshake
        self.clientTLS = try Self.clientTLS(of: backends, files)
    }

    /// The same configuration, with what its files contain now.
    public init(_ same: ActiveConfiguration, files: FileSet) throws(StartError) {
        self.settings = same.settings
        self.routeTable = same.routeTable
        self.routes = same.routes
        self.backends = same.backends
        self.longestHandshake = same.longestHandshake
        self.backendIndices = same.backendIndices
        self.routeIndices = same.routeIndices
        self.routesByKey = same.routesByKey
        self.clientTLS = try Self.clientTLS(of: same.backends, files)
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

    public func route(named name: String) -> Route? { self.routeIndices[name].map { self.routes[$0] } }

    public func route(like settings: RouteSettings) -> Route? { self.routesByKey[RouteKey(settings)] }

    public func backend(named name: String) -> Backend? { self.backendIndices[name].map { self.backends[$0] } }
}

/// What makes two routes the same. A name alone is not enough: a route without a name of its own is called by its first host and path.
private struct RouteKey: Hashable {
    let name: String
    let path: PathPattern
    let hosts: [HostPattern]

    init(_ settings: RouteSettings) {
        self.name = settings.name
        self.path = settings.path
        self.hosts = settings.hosts
    }
}
