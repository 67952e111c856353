import Testing

@testable import Configuration

/// The address of the gateway that runs, while its file has mistakes.
struct AdminOfBrokenFileTests {
    private static func admin(_ text: String) throws -> GatewayConfiguration.Admin? {
        try ConfigurationReader.readAdmin(bytes: Array(text.utf8), file: "gateway.conf", environment: [:])
    }

    private static let address = Address.tcp(host: "127.0.0.1", port: 9901)

    @Test(arguments: [
        "admin: 127.0.0.1:9901\nlistners: []\n",
        "workers: many\nadmin: 127.0.0.1:9901\nroutes: [{path: x}]\n",
        "log: {file: \"${NOWHERE}\"}\nadmin:\n  address: 127.0.0.1:9901\n",
        "routes: &a []\nadmin: 127.0.0.1:9901\nbackends: {}\nbackends: {}\n",
        "admin: 127.0.0.1:9901\nlisteners: [",
        "listeners:\n  - address: a\n   b: c\nadmin:\n  # the address\n\n  address: 127.0.0.1:9901\nroutes: ]\n",
        "\u{FEFF}admin: 127.0.0.1:9901\r\nroutes: ]\r\n",
        #"{"admin": "127.0.0.1:9901", "workers": 0}"#,
    ])
    func `mistakes elsewhere do not hide the address`(_ text: String) throws {
        #expect(try Self.admin(text)?.address == Self.address)
    }

    @Test(arguments: ["", "listeners: []\n", "admin: off\nworkers: many\n", "- a\n", "# admin: 127.0.0.1:9901\n"])
    func `a file without the key has no address`(_ text: String) throws {
        #expect(try Self.admin(text) == nil)
    }

    @Test(arguments: [
        ("workers: many\nadmin: 9901\n", 2), ("admin: {adress: 127.0.0.1:9901}\nworkers: many\n", 1),
        ("workers: many\nadmin:\n  address: \"${NOWHERE}\"\n", 3), ("routes: ]\nadmin:\n  address: [\n", 1),
    ])
    func `mistakes in admin itself are told, and no others`(_ text: String, line: Int) throws {
        let failure = try #require(throws: ConfigurationReader.Failure.self) { try Self.admin(text) }
        #expect(Set(failure.diagnostics.compactMap { $0.position?.line }) == [line])
    }
}
