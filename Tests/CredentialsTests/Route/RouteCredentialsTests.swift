import HTTP1
import Testing

@testable import Configuration
@testable import Credentials

struct RouteCredentialsTests {
    private static func jwt(_ places: TokenPlace...) -> AuthSettings { .jwt(.lenient { $0.token = places }) }
    private static let basic = AuthSettings.basic(BasicSettings(file: "users"))
    private static let certificate = AuthSettings.certificate(CertificateSettings())
    private static func forward() throws -> AuthSettings {
        .forward(ForwardSettings(url: try WebURL(parsing: "http://a")))
    }

    private static func shown(
        _ kinds: [AuthSettings], _ fields: HTTPFields = [:], target: String = "/", hasCertificate: Bool = false
    ) -> RouteCredentials.Shown {
        RouteCredentials(kinds).shown(fields: fields, target: target, hasCertificate: hasCertificate)
    }

    @Test func `the first kind whose credential was sent decides`() throws {
        let kinds = [Self.jwt(.header, .cookie("s")), Self.basic, Self.certificate]
        let password: HTTPFields = ["Authorization": "Basic YTpi"]
        let credential = try BasicCredential.sent("a", "b")
        #expect(Self.shown(kinds, ["Authorization": "Bearer t"], hasCertificate: true) == .token("t", kind: 0))
        #expect(Self.shown(kinds, password, hasCertificate: true) == .password(credential, kind: 1))
        #expect(Self.shown(kinds.reversed(), password, hasCertificate: true) == .certificate(kind: 0))
        #expect(Self.shown(kinds, hasCertificate: true) == .certificate(kind: 2))
        #expect(
            Self.shown(kinds, ["Authorization": "Basic YTpi", "Cookie": "s=t"], hasCertificate: true)
                == .token("t", kind: 0))
    }

    @Test func `a credential that cannot be read decides, too`() {
        let kinds = [Self.jwt(.header), Self.basic, Self.certificate]
        #expect(
            Self.shown(kinds, ["Authorization": "Bearer"], hasCertificate: true)
                == .refused(.malformed("the field Authorization has no token")))
        #expect(
            Self.shown(kinds, ["Authorization": "Basic !"], hasCertificate: true)
                == .refused(.malformed("user and password are no base64")))
    }

    @Test func `a service is asked where no kind before it decides`() throws {
        let kinds = [Self.basic, try Self.forward()]
        #expect(Self.shown(kinds) == .forward(kind: 1))
        #expect(Self.shown(kinds, ["Authorization": "Bearer t"]) == .forward(kind: 1))
        #expect(Self.shown(kinds, ["Authorization": "Basic YTpi"]) == .password(try .sent("a", "b"), kind: 0))
    }

    @Test func `without any, clients are asked for one, if there is one to send`() {
        #expect(Self.shown([Self.jwt(.header), Self.certificate]) == .missing)
        #expect(Self.shown([Self.certificate, Self.basic]) == .missing)
        #expect(Self.shown([Self.certificate]) == .missingCertificate)
        #expect(Self.shown([Self.jwt(.query("t"))], target: "/?t=") == .missing)
    }

    @Test func `tokens of all kinds are taken out of the URL`() {
        let route = RouteCredentials([Self.jwt(.query("a")), Self.basic, Self.jwt(.header, .query("b"))])
        #expect(route.cleaned(target: "/x?a=1&c=2&b=3") == "/x?c=2")
        #expect(RouteCredentials([Self.basic]).cleaned(target: "/x?a=1") == "/x?a=1")
    }

    @Test func `subprotocols are the backend's where no kind looks at them`() {
        #expect(RouteCredentials([Self.jwt(.header), Self.basic]).offer(["bearer", "t"]) == nil)
        let route = RouteCredentials([Self.basic, Self.jwt(.subprotocol)])
        #expect(route.offer(["bearer", "t", "chat"]) == .names(["chat"], announcement: "bearer"))
        #expect(route.offer(["bearer.t"]) == .credentialAlone)
    }
}
