import Configuration
import HTTP1
import Testing

@testable import Credentials

struct SentFieldsTests {
    private static let kinds: [AuthSettings] = {
        var jwt = JWTSettings.lenient()
        jwt.send = [SentField(name: "X-User", source: "sub")]
        var basic = BasicSettings(file: "users")
        basic.send = [SentField(name: "X-Login", source: .user)]
        var certificate = CertificateSettings()
        certificate.send = [SentField(name: "X.Client", source: .subject)]
        return [.jwt(jwt), .basic(basic), .certificate(certificate)]
    }()

    @Test func `what any kind sends is removed from what the client sent, in all spellings`() {
        let fields: HTTPFields = [
            "Host": "h", "X-User": "1", "x-user": "2", "X_User": "3", "X.User": "4", "x_LOGIN": "5", "X-Client": "6",
            "X-Users": "kept", "XUser": "kept",
        ]
        #expect(
            SentFields(Self.kinds).removed(from: fields) == ["Host": "h", "X-Users": "kept", "XUser": "kept"])
        #expect(SentFields([]).removed(from: fields) == fields)
    }

    @Test func `there is one challenge for each scheme`() {
        #expect(Challenge.values(Self.kinds) == ["Bearer", "Basic realm=\"gateway\", charset=\"UTF-8\""])
        #expect(Challenge.values([.jwt(.lenient()), .jwt(.lenient([.es256]))]) == ["Bearer"])
        #expect(Challenge.values([.certificate(CertificateSettings())]).isEmpty)
    }
}
