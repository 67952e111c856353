import Configuration
import Testing

@testable import Proxy

@Suite struct RouteTableTests {
    private func table(_ routes: [RouteSettings]) -> RouteTable {
        var configuration = sampleConfiguration()
        configuration.routes = routes
        return RouteTable(configuration)
    }

    @Test func theFirstMatchWins() {
        let table = self.table([
            route(.exact("/a"), .backend("echo")), route(.subtree("/"), .backend("vnc")),
            route(.exact("/b"), .backend("chat")),
        ])
        #expect(table.match(host: "x", path: "/a") == 0)
        #expect(table.match(host: "x", path: "/b") == 1)
        #expect(table.match(host: "x", path: "/") == 1)
    }

    @Test func aSubtreeIsBelowItsPath() {
        let table = self.table([route(.subtree("/chat/"), .backend("echo"))])
        #expect(table.match(host: "x", path: "/chat/") == 0)
        #expect(table.match(host: "x", path: "/chat/a/b") == 0)
        #expect(table.match(host: "x", path: "/chat") == nil)
        #expect(table.match(host: "x", path: "/chats/") == nil)
    }

    @Test func hostsAreNamesAddressesAndDomains() {
        let table = self.table([
            route(.exact("/"), .backend("echo")) { $0.hosts = [.exact("a.example"), .exact("0:0::1")] },
            route(.exact("/"), .backend("echo")) { $0.hosts = [.subdomains(of: "b.example")] },
            route(.exact("/"), .backend("echo")),
        ])
        #expect(table.match(host: "a.example", path: "/") == 0)
        #expect(table.match(host: "::1", path: "/") == 0)
        #expect(table.match(host: "x.y.b.example", path: "/") == 1)
        #expect(table.match(host: "b.example", path: "/") == 2)
        #expect(table.match(host: "xb.example", path: "/") == 2)
    }

    @Test func patternsAreNormalisedAsPathsAre() {
        let table = self.table([
            route(.exact("/%7Euser/%c3%a9"), .backend("echo")), route(.subtree("/é/"), .backend("echo")),
        ])
        #expect(table.match(host: "x", path: "/~user/%C3%A9") == 0)
    }

    @Test func whatAnswersIsKnown() {
        let table = RouteTable(sampleConfiguration())
        #expect(table.service(of: 0) == .page(.console))
        #expect(table.service(of: 1) == .terminated)
        #expect(table.service(of: 4) == .relay)
        #expect(table.service(of: 6) == .terminated)
    }
}
