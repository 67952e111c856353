import Configuration
import Testing

@testable import Admission
@testable import DataPlane

/// Which routes the console offers, and how its page contains them.
@Suite struct ConsolePageTests {
    private func paths(_ routes: [RouteSettings], host: String = "here.example") -> [String] {
        var configuration = GatewayConfiguration()
        configuration.backends = [
            "echo": BackendSettings(name: "echo", kind: .builtin(.echo)),
            "rooms": BackendSettings(name: "rooms", kind: .builtin(.broadcast)),
        ]
        configuration.routes = routes
        let table = RouteTable(configuration)
        return ConsolePage.paths(of: configuration, host: host) { table.match(.http, host: host, path: $0) }
    }

    private func route(_ path: PathPattern, _ action: RouteSettings.Action, host: String? = nil) -> RouteSettings {
        var route = RouteSettings(name: "\(path)", path: path, action: action)
        route.hosts = host.map { [.exact($0)] } ?? []
        return route
    }

    @Test func `each route has a path that leads to it`() {
        let routes = [
            self.route(.exact("/"), .page(.console)), self.route(.exact("/echo"), .backend("echo")),
            self.route(.subtree("/rooms/"), .backend("rooms")), self.route(.subtree("/deep/"), .backend("echo")),
            self.route(.subtree("/"), .backend("echo")),
        ]
        #expect(self.paths(routes) == ["/echo", "/rooms/lobby", "/deep/", "/lobby"])
    }

    @Test func `routes that no path leads to are not offered`() {
        let routes = [
            self.route(.exact("/"), .page(.console)), self.route(.exact("/far"), .backend("echo"), host: "far.example"),
            self.route(.exact("/near"), .backend("echo"), host: "here.example"),
            self.route(.subtree("/hidden/"), .page(.console)), self.route(.exact("/hidden/echo"), .backend("echo")),
            self.route(.exact("/near"), .backend("rooms")),
        ]
        #expect(self.paths(routes) == ["/near"])
        #expect(self.paths(routes, host: "far.example") == ["/far", "/near"])
        #expect(self.paths([]) == [])
    }

    /// The page has to be small and cheap: a worker makes it.
    @Test func `of many routes only some are offered`() {
        #expect(self.paths((0..<1000).map { self.route(.exact("/\($0)"), .backend("echo")) }).count == 50)
    }

    /// With thousands of routes, the table is asked for only a few.
    @Test(arguments: [("here.example", 50, 50), ("far.example", 0, 0), ("hidden.example", 0, 100)])
    func `one page is little work`(_ host: String, _ offered: Int, _ most: Int) {
        var configuration = GatewayConfiguration()
        configuration.backends = ["echo": BackendSettings(name: "echo", kind: .builtin(.echo))]
        configuration.routes = [self.route(.subtree("/"), .page(.console), host: "hidden.example")]
        for number in 0..<5000 {
            for host in ["here.example", "hidden.example", "h\(number).example"] {
                configuration.routes.append(self.route(.exact("/\(number)"), .backend("echo"), host: host))
            }
        }
        let table = RouteTable(configuration)
        var asked = 0
        let paths = ConsolePage.paths(of: configuration, host: host) { path in
            asked += 1
            return table.match(.http, host: host, path: path)
        }
        #expect(paths.count == offered)
        #expect(asked <= most)
    }

    @Test func `paths are escaped`() {
        let page = String(decoding: ConsolePage.html(offering: ["/a", "/<b>&\"c'"]), as: UTF8.self)
        #expect(
            page.contains(
                "<datalist id=\"routes\"><option value=\"/a\"><option value=\"/&lt;b&gt;&amp;&quot;c'\"></datalist>"))
    }
}
