import Admission
import Configuration

extension Benchmark {
    /// The cost of finding the route of a request, or that there is none: the same for any number of routes.
    static var routes: [Benchmark] {
        [10, 1000, 10_000, 100_000].map { count in
            Self.lookUp("no-route-of-\(count)-hosts", Self.hosts(count), host: "nobody.example.com", path: "/")
        } + [
            Self.lookUp("last-route-of-100000-hosts", Self.hosts(100_000), host: "h100000.example.com", path: "/chat"),
            Self.lookUp("last-route-of-100000-paths", Self.paths(100_000), host: "example.com", path: "/p100000"),
        ]
    }

    private static func lookUp(
        _ name: String, _ routes: @autoclosure @escaping () -> [RouteSettings], host: String, path: String
    ) -> Benchmark {
        Benchmark(name, per: .request) {
            var configuration = GatewayConfiguration()
            configuration.routes = routes()
            let table = RouteTable(configuration)
            let isFound = table.match(.http, host: host, path: path) == configuration.routes.count - 1
            return Work(units: 1, expecting: isFound ? 1 : 0) {
                table.match(.http, host: host, path: path) == nil ? 0 : 1
            }
        }
    }

    private static func hosts(_ count: Int) -> [RouteSettings] {
        (1...count).map { number in
            var route = RouteSettings(name: "h\(number)", path: .subtree("/"), action: .page(.console))
            route.hosts = [.exact("h\(number).example.com")]
            return route
        }
    }

    private static func paths(_ count: Int) -> [RouteSettings] {
        (1...count).map { RouteSettings(name: "p\($0)", path: .exact("/p\($0)"), action: .page(.console)) }
    }
}
