import Testing

@testable import Configuration

@Suite struct ClusterTests {
    private static func read(_ text: String, environment: [String: String] = [:]) throws -> ClusterSettings? {
        try GatewayConfiguration.reading(
            "listeners: [{address: \":0\"}]\ncluster: {\(text)}", environment: environment
        ).cluster
    }

    @Test func `without the section a gateway is alone`() throws {
        #expect(try GatewayConfiguration.reading("listeners: [{address: \":0\"}]").cluster == nil)
    }

    @Test func `all keys are read`() throws {
        let settings = try #require(
            try Self.read(
                """
                redis: "rediss://10.0.0.5:6380/2", user: ann, password: "${PASSWORD}", prefix: "a:b",
                tls: {ca: ca.pem, server-name: redis.internal, certificate: {chain: a, key: b}}
                """, environment: ["PASSWORD": "s3cret"]))
        var expected = ClusterSettings(server: try RedisServer(parsing: "rediss://10.0.0.5:6380/2"))
        expected.user = "ann"
        expected.password = "s3cret"
        expected.prefix = "a:b"
        expected.tls.ca = "ca.pem"
        expected.tls.serverName = "redis.internal"
        expected.tls.certificate = CertificateFiles(chain: "a", key: "b")
        #expect(settings == expected)
        let least = try #require(try Self.read("redis: \"unix:/run/redis.sock\""))
        #expect(least == ClusterSettings(server: try RedisServer(parsing: "unix:/run/redis.sock")))
        #expect(least.prefix == "gateway" && least.user == nil && least.password == nil)
    }

    @Test(arguments: [
        ("redis://10.0.0.5:6380/2", Address.tcp(host: "10.0.0.5", port: 6380), 2, false),
        ("redis://Redis.Example", .tcp(host: "redis.example", port: 6379), 0, false),
        ("redis://[::1]/", .tcp(host: "::1", port: 6379), 0, false),
        ("rediss://a:1/15", .tcp(host: "a", port: 1), 15, true),
        ("unix:/run/redis.sock", .unix(path: "/run/redis.sock"), 0, false),
        ("unix:@redis", .abstract(name: "redis"), 0, false),
    ])
    func `a server is a URL or a socket`(text: String, address: Address, database: Int, tls: Bool) throws {
        let server = try RedisServer(parsing: text)
        #expect(server.address == address && server.database == database && server.tls == tls)
    }

    @Test(arguments: [
        ("http://a", "it must start with `redis://`, `rediss://` or `unix:`"),
        ("a:6379", "it must start with `redis://`, `rediss://` or `unix:`"),
        ("redis://a,redis://b", "it is one server, not a list"), ("redis://a,b", "it is one server, not a list"),
        ("redis://:s3cret@a", "leave user and password out, they are the keys `user` and `password`"),
        ("redis://ann:s3cret@a", "leave user and password out, they are the keys `user` and `password`"),
        ("redis://", "it has no host"), ("redis://:6379", "it has no host"), ("redis:///0", "it has no host"),
        ("redis://a/x", "behind the host is the number of a database, such as `/0`"),
        ("redis://a/-1", "behind the host is the number of a database, such as `/0`"),
        ("redis://a/99999999999999999999", "behind the host is the number of a database, such as `/0`"),
        ("redis://a/1/2", "behind the host is the number of a database, such as `/0`"),
        ("redis://a?db=1", "leave `?` and `#` out"),
    ])
    func `anything else is a mistake with its cure, and without a password`(text: String, cure: String) {
        let mistake = #expect(throws: Mistake.self) { try RedisServer(parsing: text) }
        #expect(
            mistake?.problem == "must be a URL such as `redis://10.0.0.5:6379/0` or `unix:/run/redis.sock`: \(cure)")
    }
}
