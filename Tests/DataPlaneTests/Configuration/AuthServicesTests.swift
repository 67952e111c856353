import System
import TLS
import Testing

@testable import Configuration
@testable import DataPlane

/// The auth services of a configuration.
@Suite struct AuthServicesTests {
    private static func forward(_ url: String, ca: String? = nil, again: Duration? = nil) throws -> AuthSettings {
        var settings = ForwardSettings(url: try WebURL(parsing: url))
        settings.ca = ca
        settings.again = again
        return .forward(settings)
    }

    private static func configuration(_ kinds: [AuthSettings]...) -> GatewayConfiguration {
        var configuration = GatewayConfiguration()
        configuration.backends["echo"] = BackendSettings(name: "echo", kind: .builtin(.echo))
        configuration.routes = kinds.enumerated().map { index, kinds in
            var route = RouteSettings(name: "r\(index)", path: .exact("/\(index)"), action: .backend("echo"))
            route.auth = kinds
            return route
        }
        return configuration
    }

    @Test func `routes share a service, and a reload keeps what is known of it`() throws {
        let basic = AuthSettings.basic(BasicSettings(file: "users"))
        let old = try ActiveConfiguration(
            Self.configuration(
                [try Self.forward("http://a.example/x")],
                [basic, try Self.forward("http://a.example/x", again: .seconds(5))],
                [try Self.forward("http://a.example/y")], [basic], []))
        #expect(old.authServices.map(\.url.description) == ["http://a.example/x", "http://a.example/y"])
        #expect(old.authServices.map(\.index) == [0, 1])
        #expect(old.routes.map { $0.authService?.index } == [0, 0, 1, nil, nil])
        // Where its secrets may be the log has nothing.
        #expect(old.allEndpoints.map(\.name) == ["http://a.example", "http://a.example"])

        let new = try ActiveConfiguration(
            Self.configuration([try Self.forward("http://a.example/y")]), replacing: old)
        #expect(new.authServices[0].endpoint === old.authServices[1].endpoint)
        #expect(new.has(new.authServices[0]))
        #expect(!new.has(old.authServices[1]))
        #expect(!new.has(old.authServices[0]))
        let same = try ActiveConfiguration(new, files: FileSet())
        #expect(same.has(new.authServices[0]))
    }

    @Test func `authorities of https services are read, and watched`() throws {
        let missing = "/nonexistent/ca.pem"
        let configuration = Self.configuration(
            [try Self.forward("https://a.example/x", ca: missing)],
            [try Self.forward("https://a.example/x", ca: missing)])
        #expect(CertificateFiles.files(of: configuration) == [missing])
        let problem = "auth service https://a.example: cannot read \(missing): No such file or directory"
        #expect(CertificateFiles.findings(in: configuration).problems == [problem])
        let plain = try ActiveConfiguration(
            Self.configuration([try Self.forward("http://a.example")], [try Self.forward("https://a.example")]))
        #expect(plain.authTLS.map { $0 == nil } == [true, false])
        #expect(plain.authTLS[1]?.verify == true)
    }
}
