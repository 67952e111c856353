import Configuration
import Testing

@testable import Admission

@Suite struct RouteTableTests {
    private func table(_ routes: [RouteSettings]) -> RouteTable {
        var configuration = sampleConfiguration()
        configuration.routes = routes
        return RouteTable(configuration)
    }

    @Test func `the first route that matches wins`() {
        let table = self.table([
            route(.exact("/a"), .backend("echo")), route(.subtree("/"), .backend("vnc")),
            route(.exact("/b"), .backend("chat")),
        ])
        #expect(table.match(.http, host: "x", path: "/a") == 0)
        #expect(table.match(.http, host: "x", path: "/b") == 1)
        #expect(table.match(.http, host: "x", path: "/") == 1)
    }

    @Test func `a subtree matches what is below its path, not the path itself`() {
        let table = self.table([route(.subtree("/chat/"), .backend("echo"))])
        #expect(table.match(.http, host: "x", path: "/chat/") == 0)
        #expect(table.match(.http, host: "x", path: "/chat/a/b") == 0)
        #expect(table.match(.http, host: "x", path: "/chat") == nil)
        #expect(table.match(.http, host: "x", path: "/chats/") == nil)
    }

    @Test func `hosts are names, addresses and domains`() {
        let table = self.table([
            route(.exact("/"), .backend("echo")) { $0.hosts = [.exact("a.example"), .exact("::1")] },
            route(.exact("/"), .backend("echo")) { $0.hosts = [.subdomains(of: "b.example")] },
            route(.exact("/"), .backend("echo")),
        ])
        #expect(table.match(.http, host: "a.example", path: "/") == 0)
        #expect(table.match(.http, host: "::1", path: "/") == 0)
        #expect(table.match(.http, host: "x.y.b.example", path: "/") == 1)
        #expect(table.match(.http, host: "b.example", path: "/") == 2)
        #expect(table.match(.http, host: "xb.example", path: "/") == 2)
    }

    @Test func `among hosts, domains, any host and paths the order of the file decides`() {
        let table = self.table([
            route(.subtree("/a/"), .backend("echo")) { $0.hosts = [.subdomains(of: "example.com")] },
            route(.exact("/a/b"), .backend("echo")) { $0.hosts = [.exact("www.example.com")] },
            route(.exact("/c"), .backend("echo")),
            route(.subtree("/"), .backend("echo")) { $0.hosts = [.exact("www.example.com")] },
            route(.subtree("/"), .backend("echo")) { $0.hosts = [.subdomains(of: "com")] },
            route(.exact("/d"), .backend("echo")) { $0.hosts = [.exact("www.example.com")] },
        ])
        #expect(table.match(.http, host: "www.example.com", path: "/a/b") == 0)
        #expect(table.match(.http, host: "www.example.com", path: "/c") == 2)
        #expect(table.match(.http, host: "www.example.com", path: "/d") == 3)
        #expect(table.match(.http, host: "example.com", path: "/d") == 4)
        #expect(table.match(.http, host: "example.org", path: "/c") == 2)
        #expect(table.match(.http, host: "com", path: "/d") == nil)
    }

    @Test func `routes of one host and path may differ in the scheme`() {
        let table = self.table([
            route(.subtree("/"), .backend("echo")) { $0.scheme = .http },
            route(.subtree("/"), .backend("echo")) { $0.scheme = .https },
            route(.exact("/a"), .backend("echo")),
        ])
        #expect(table.match(.http, host: "x", path: "/a") == 0)
        #expect(table.match(.https, host: "x", path: "/a") == 1)
        let later = self.table([
            route(.exact("/a"), .backend("echo")), route(.subtree("/"), .backend("echo")) { $0.scheme = .https },
        ])
        #expect(later.match(.https, host: "x", path: "/a") == 0)
        #expect(later.match(.https, host: "x", path: "/b") == 1)
        #expect(later.match(.http, host: "x", path: "/b") == nil)
    }

    /// Whatever the table is made of, it finds what a look at one route after the other finds.
    @Test func `the table finds the route that a scan of the list finds`() {
        var random = SystemRandomNumberGenerator()
        let hosts = ["a.b", "c.a.b", "d.c.a.b", "b", "xa.b", "::1", "10.0.0.1"]
        let patterns: [HostPattern] =
            hosts.map { .exact($0) } + ["a.b", "b", "c.a.b"].map { .subdomains(of: $0) }
        let paths = ["/", "/x", "/x/", "/x/y", "/x/y/", "/x/y/z", "/xy", "/x//y", "//"]
        let subtrees = ["/", "/x/", "/x/y/", "/x//"]
        for _ in 0..<300 {
            let routes = (0..<Int.random(in: 0...8, using: &random)).map { _ in
                let path: PathPattern =
                    Bool.random(using: &random) ? .exact(paths.randomElement()!) : .subtree(subtrees.randomElement()!)
                return route(path, .backend("echo")) {
                    $0.hosts = Array(patterns.shuffled(using: &random).prefix(Int.random(in: 0...2, using: &random)))
                }
            }
            let table = self.table(routes)
            for host in hosts {
                for path in paths {
                    let scanned = routes.firstIndex { Self.matches($0, host: host, path: path) }
                    #expect(table.match(.http, host: host, path: path) == scanned, "\(host) \(path) of \(routes)")
                }
            }
        }
    }

    private static func matches(_ route: RouteSettings, host: String, path: String) -> Bool {
        let isPath =
            switch route.path {
            case .exact(let exact): exact == path
            case .subtree(let prefix): path.hasPrefix(prefix)
            }
        return isPath && (route.hosts.isEmpty || route.hosts.contains { $0.matches(host) })
    }

    @Test func `patterns are normalised like paths`() throws {
        let table = self.table([route(try PathPattern(parsing: "/%7Euser/%c3%a9"), .backend("echo"))])
        #expect(table.match(.http, host: "x", path: "/~user/%C3%A9") == 0)
    }

    @Test func `a route knows its kind of service`() {
        let table = RouteTable(sampleConfiguration())
        #expect(table.service(of: 0) == .page(.console))
        #expect(table.service(of: 1) == .terminated)
        #expect(table.service(of: 4) == .relay)
        #expect(table.service(of: 6) == .terminated)
    }
}
