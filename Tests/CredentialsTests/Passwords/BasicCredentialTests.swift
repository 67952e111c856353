import Configuration
import HTTP1
import Testing

@testable import Credentials

struct BasicCredentialTests {
    private static func find(_ bytes: [UInt8]) -> BasicCredential.Finding {
        BasicCredential.find(in: ["Authorization": "Basic \(Base64.encoded(bytes.span))"])
    }

    private static func find(_ text: String) -> BasicCredential.Finding { self.find(Array(text.utf8)) }

    /// RFC 7617 sections 2 and 2.1.
    @Test func `user and password are those of the standard`() {
        let finding = BasicCredential.find(in: ["Authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="])
        guard case .credential(let credential) = finding else { return #expect(finding == .absent) }
        #expect(credential.user == "Aladdin")
        #expect(credential.password == "open sesame")
        let other = BasicCredential.find(in: ["authorization": "basic   dGVzdDoxMjPCow=="])
        guard case .credential(let credential) = other else { return #expect(other == .absent) }
        #expect(credential.user == "test")
        #expect(credential.password == "123£")
    }

    @Test func `the password begins behind the first colon, and both may be empty`() {
        guard case .credential(let credential) = Self.find("a:b:c") else { return #expect(Bool(false)) }
        #expect(credential.user == "a" && credential.password == "b:c")
        guard case .credential(let empty) = Self.find(":") else { return #expect(Bool(false)) }
        #expect(empty.user.isEmpty && empty.password.isEmpty)
    }

    @Test func `fields of other schemes are none, and several are refused`() {
        #expect(BasicCredential.find(in: [:]) == .absent)
        #expect(BasicCredential.find(in: ["Authorization": "Bearer a"]) == .absent)
        #expect(
            BasicCredential.find(in: ["Authorization": "Basic YTpi", "Authorization": "Basic YTpi"])
                == .refused(.malformed("there are several fields Authorization")))
    }

    @Test func `what cannot be read is refused, and so is what crypt would take for less`() {
        let controls = BasicCredential.Finding.refused(.malformed("user or password has control characters"))
        #expect(Self.find("a:b\0c") == controls)
        #expect(Self.find("a\u{1}:b") == controls)
        #expect(Self.find("a:b\n") == controls)
        #expect(Self.find("ab") == .refused(.malformed("there is no colon behind the user")))
        #expect(Self.find([0x61, 0x3A, 0xE9]) == .refused(.malformed("user and password are not UTF-8")))
        for value in ["YTp", "YTpi=", "YTpi\n", "YT-_", "", "Y!pi"] {
            let finding = BasicCredential.find(in: ["Authorization": "Basic \(value)"])
            #expect(finding != .absent, "\(value)")
            if case .credential = finding { #expect(value == "a credential") }
        }
        #expect(
            Self.find("a:" + String(repeating: "x", count: 512)) == .refused(.malformed("the password is too long")))
        guard case .credential = Self.find("a:" + String(repeating: "x", count: 511)) else {
            return #expect(Bool(false))
        }
    }

    @Test func `a right password gives its user, and a wrong one nothing`() throws {
        var settings = BasicSettings(file: "users")
        settings.send = [SentField(name: "X-User", source: .user)]
        let credential = try BasicCredential.sent("zoë", "x")
        var fields = HTTPFields()
        fields.append("X-User", utf8: "zoë")
        #expect(
            PasswordVerdict.of(credential, isRight: true, settings) == .granted(Grant(subject: "zoë", fields: fields)))
        #expect(PasswordVerdict.of(credential, isRight: false, settings) == .refused(.password))
    }
}
