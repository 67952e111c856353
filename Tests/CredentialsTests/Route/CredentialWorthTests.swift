import HTTP1
import Testing

@testable import Configuration
@testable import Credentials

/// What is known of a credential before anything that takes long.
@Suite struct CredentialWorthTests {
    private static let jwt = AuthSettings.jwt(.lenient { $0.token = [.header] })
    private static let basic = AuthSettings.basic(BasicSettings(file: "users"))
    private static let certificate = AuthSettings.certificate(CertificateSettings())

    private static func worth(
        _ kinds: [AuthSettings], of shown: RouteCredentials.Shown, certificate: CertificateIdentity? = nil,
        by files: KeysAndUsers = KeysAndUsers()
    ) -> RouteCredentials.Worth {
        RouteCredentials(kinds).worth(of: shown, certificate: certificate, by: files, now: 0)
    }

    private static func verdict(_ worth: RouteCredentials.Worth) -> Verdict? {
        if case .verdict(let verdict) = worth { verdict } else { nil }
    }

    private static func isUnverifiable(_ worth: RouteCredentials.Worth) -> Bool {
        if case .unverifiable = worth { true } else { false }
    }

    @Test func `without keys or users nothing can be verified`() throws {
        #expect(Self.isUnverifiable(Self.worth([Self.jwt], of: .token("t", kind: 0))))
        #expect(Self.isUnverifiable(Self.worth([Self.basic], of: .password(try .sent("a", "b"), kind: 0))))
        #expect(Self.isUnverifiable(Self.worth([Self.certificate], of: .certificate(kind: 0))))
        #expect(Self.isUnverifiable(Self.worth([Self.basic], of: .forward(kind: 0))))
    }

    @Test func `an unknown key of a URL may be outdated, and nothing else is`() throws {
        let source = KeySource.url(try WebURL(parsing: "https://login.example/keys"), ca: nil)
        let fetched = RouteCredentials([.jwt(.lenient { $0.keys = source }), Self.jwt, Self.basic])
        let token = RouteCredentials.Shown.token("t", kind: 0)
        #expect(fetched.outdatedKeys(after: .refused(.unknownKey("k")), on: token) == source)
        #expect(fetched.outdatedKeys(after: .refused(.unknownKey(nil)), on: token) == source)
        #expect(fetched.outdatedKeys(after: .refused(.signature), on: token) == nil)
        #expect(fetched.outdatedKeys(after: .forbidden("no"), on: token) == nil)
        #expect(fetched.outdatedKeys(after: .refused(.unknownKey("k")), on: .token("t", kind: 1)) == nil)
        #expect(fetched.outdatedKeys(after: .refused(.unknownKey("k")), on: .missing) == nil)
    }

    @Test func `what cannot be read is refused`() {
        let worth = Self.worth([Self.basic], of: .refused(.password))
        #expect(Self.verdict(worth) == .refused(.password))
    }

    @Test func `a certificate is judged at once`() {
        let identity = CertificateIdentity(subject: "CN=a", commonName: "a", alternativeNames: nil)
        let worth = Self.worth([Self.basic, Self.certificate], of: .certificate(kind: 1), certificate: identity)
        #expect(Self.verdict(worth) == .granted(Grant(subject: "a")))
    }

    @Test func `a password takes a hash`() throws {
        var files = KeysAndUsers()
        let hash = "$2b$04$abcdefghijklmnopqrstuuyvPXIbu7xe6/CED2DzX8z6Si09MlzlW"
        files.users["users"] = try PasswordFile(parsing: Array("a:\(hash)\n".utf8))
        let credential = try BasicCredential.sent("a", "pw")
        let worth = Self.worth([Self.jwt, Self.basic], of: .password(credential, kind: 1), by: files)
        guard case .password(credential, of: let file, let settings) = worth else {
            Issue.record("\(worth)")
            return
        }
        #expect(file.accepts(credential))
        #expect(settings.file == "users")
    }
}
