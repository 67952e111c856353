import Configuration
import HTTP1
import Testing

@testable import Credentials

struct TokenCheckTests {
    private static let now: Int64 = 1_700_000_000

    private static func verdict(
        _ payload: String, now: Int64 = now, _ change: (inout JWTSettings) -> Void = { _ in }
    ) throws -> Verdict {
        let signer = try Signer()
        return TokenCheck(.lenient([.hs256], change)).verdict(on: signer.token(payload), keys: signer.keys, now: now)
    }

    private static let granted = Verdict.granted(Grant())

    // MARK: - Time

    @Test func `a token is good until it expires, and the leeway longer`() throws {
        for (now, verdict) in [
            (99, Verdict.granted(Grant(expires: 130))), (129, .granted(Grant(expires: 130))),
            (130, .refused(.expired(by: 30))), (131, .refused(.expired(by: 31))),
        ] {
            #expect(try Self.verdict(#"{"exp":100}"#, now: Int64(now)) == verdict)
        }
        #expect(try Self.verdict(#"{"exp":100}"#, now: 99) { $0.leeway = .zero } == .granted(Grant(expires: 100)))
        #expect(try Self.verdict(#"{"exp":100}"#, now: 100) { $0.leeway = .zero } == .refused(.expired(by: 0)))
        #expect(try Self.verdict(#"{"exp":100.9}"#, now: 100) { $0.leeway = .zero } == .refused(.expired(by: 0)))
        #expect(
            try Self.verdict(#"{"exp":100}"#, now: 100) { $0.leeway = .milliseconds(1) }
                == .granted(Grant(expires: 101)))
        #expect(try Self.verdict(#"{"exp":1e2}"#, now: 99) { $0.leeway = .zero } == .granted(Grant(expires: 100)))
    }

    @Test func `a token has to say when it expires, unless the route says otherwise`() throws {
        #expect(try Self.verdict("{}") { $0.expires = .required } == .refused(.claim("the token has no exp")))
        #expect(try Self.verdict("{}") { $0.expires = .optional } == Self.granted)
        let past = try Self.verdict(#"{"exp":1}"#) { $0.expires = .optional }
        #expect(past == .refused(.expired(by: Self.now - 1)))
    }

    @Test(arguments: [
        "\"1800000000\"", "null", "true", "[]", "{}", "1800000000000", "1e300", "-1e300", "1e999", "253402300800",
    ])
    func `what is no time is refused in each of the claims with times`(value: String) throws {
        for name in ["exp", "nbf", "iat"] {
            #expect(
                try Self.verdict("{\"\(name)\":\(value)}") == .refused(.claim("the token's \(name) is no time")))
        }
    }

    @Test(arguments: ["nbf", "iat"])
    func `a token is not good before its time, but for the leeway`(name: String) throws {
        #expect(try Self.verdict("{\"\(name)\":100}", now: 70) == Self.granted)
        #expect(try Self.verdict("{\"\(name)\":100}", now: 69) == .refused(.early(claim: name, by: 31)))
    }

    // MARK: - Names

    @Test func `the issuer has to be one of the route's`() throws {
        func verdict(_ payload: String) throws -> Verdict { try Self.verdict(payload) { $0.issuers = ["a", "b"] } }
        #expect(try verdict(#"{"iss":"b"}"#) == Self.granted)
        #expect(try verdict(#"{"iss":"c"}"#) == .refused(.claim("the token's iss is c")))
        #expect(try verdict(#"{"iss":"A"}"#) == .refused(.claim("the token's iss is A")))
        #expect(try verdict("{}") == .refused(.claim("the token has no iss")))
        #expect(try verdict(#"{"iss":["a"]}"#) == .refused(.claim("the token's iss is no text")))
        #expect(try Self.verdict(#"{"iss":5}"#) == Self.granted)
    }

    @Test func `one of the token's audiences has to be one of the route's`() throws {
        func verdict(_ payload: String) throws -> Verdict {
            try Self.verdict(payload) { $0.audience = .oneOf(["a", "b"]) }
        }
        #expect(try verdict(#"{"aud":"a"}"#) == Self.granted)
        #expect(try verdict(#"{"aud":["x","b"]}"#) == Self.granted)
        #expect(try verdict(#"{"aud":["x","y"]}"#) == .refused(.claim("the token's aud is x, y")))
        #expect(try verdict(#"{"aud":[]}"#) == .refused(.claim("the token's aud is ")))
        #expect(try verdict(#"{"aud":"a b"}"#) == .refused(.claim("the token's aud is a b")))
        #expect(try verdict("{}") == .refused(.claim("the token has no aud")))
        let odd = Verdict.refused(.claim("the token's aud is no text and no list of texts"))
        #expect(try verdict(#"{"aud":["a",5]}"#) == odd)
        #expect(try verdict(#"{"aud":5}"#) == odd)
        #expect(try Self.verdict("{}") { $0.audience = .any } == Self.granted)
    }

    /// `\u212A` is a Kelvin sign, which Unicode calls equal to K.
    @Test func `names are compared byte by byte`() throws {
        let payload = #"{"iss":"\u212A","aud":"K","role":"\u212A"}"#
        let issuer = try Self.verdict(payload) { $0.issuers = ["K"] }
        #expect(issuer == .refused(.claim("the token's iss is \u{212A}")))
        let requirement = try Self.verdict(payload) { $0.requirements = [.init(claim: "role", value: "K")] }
        #expect(requirement == .forbidden("the token's role is not K"))
        #expect(try Self.verdict(payload) { $0.audience = .oneOf(["K"]) } == Self.granted)
    }

    @Test func `the subject is told, and has to be a text`() throws {
        #expect(try Self.verdict(#"{"sub":"ann"}"#) == .granted(Grant(subject: "ann")))
        #expect(try Self.verdict(#"{"sub":5}"#) == .refused(.claim("the token's sub is no text")))
    }

    // MARK: - Requirements

    @Test(arguments: [
        #""chat""#, #""read chat write""#, #"["read","chat"]"#, #""  chat""#,
    ])
    func `a claim that has to be something is that, or a list or a text that contains it`(value: String) throws {
        let verdict = try Self.verdict("{\"scope\":\(value)}") {
            $0.requirements = [.init(claim: "scope", value: "chat")]
        }
        #expect(verdict == Self.granted)
    }

    @Test(arguments: [
        #"{"scope":"chatter"}"#, #"{"scope":"chat,read"}"#, #"{"scope":["chat read"]}"#, #"{"scope":[["chat"]]}"#,
        #"{"scope":{"chat":true}}"#, #"{"scope":null}"#, #"{"scope":"Chat"}"#, #"{"scope":""}"#, "{}",
        #"{"scp":"chat"}"#, #"{"scope":"read\tchat"}"#,
    ])
    func `a token that does not meet a requirement is good, and its owner may not come in`(payload: String) throws {
        let verdict = try Self.verdict(payload) { $0.requirements = [.init(claim: "scope", value: "chat")] }
        #expect(verdict == .forbidden("the token's scope is not chat"))
    }

    @Test func `numbers and truth values are compared as they are written, and all requirements have to hold`() throws {
        let payload = #"{"level":5,"verified":true,"levels":[1,5]}"#
        let met = try Self.verdict(payload) {
            $0.requirements = ["level": "5", "verified": "true", "levels": "1"].map { .init(claim: $0, value: $1) }
        }
        #expect(met == Self.granted)
        let unmet = try Self.verdict(payload) {
            $0.requirements = [.init(claim: "level", value: "5"), .init(claim: "verified", value: "false")]
        }
        #expect(unmet == .forbidden("the token's verified is not false"))
    }

    @Test func `a token that has expired is refused, whether it meets the requirements or not`() throws {
        let verdict = try Self.verdict(#"{"exp":1}"#) { $0.requirements = [.init(claim: "scope", value: "chat")] }
        #expect(verdict == .refused(.expired(by: Self.now - 1)))
    }

    // MARK: - Fields

    private static func sent(_ value: String) throws -> Verdict {
        try self.verdict("{\"x\":\(value)}") { $0.send = [SentField(name: "X-User", source: "x")] }
    }

    @Test func `claims are sent as texts, numbers as they are written, and lists with commas`() throws {
        func granted(_ value: String) -> Verdict {
            var fields = HTTPFields()
            fields.append("X-User", utf8: value)
            return .granted(Grant(fields: fields))
        }
        #expect(try Self.sent(#""ann""#) == granted("ann"))
        #expect(try Self.sent("1.50") == granted("1.50"))
        #expect(try Self.sent(#"["a","b c"]"#) == granted("a,b c"))
        #expect(try Self.sent(#""a,b""#) == granted("a,b"))
        #expect(try Self.sent(#""Zoë 😀""#) == granted("Zoë 😀"))
        var bytes: [UInt8] = []
        guard case .granted(let grant) = try Self.sent(#""Zoë""#) else { throw Flaw.signature }
        grant.fields.encode(into: &bytes)
        #expect(bytes == Array("X-User: Zoë\r\n".utf8))
    }

    @Test func `a claim that is absent, or an empty list, sends no field`() throws {
        #expect(try Self.sent("[]") == Self.granted)
        #expect(try Self.verdict("{}") { $0.send = [SentField(name: "X-User", source: "x")] } == Self.granted)
    }

    @Test(arguments: [
        ("null", "is no text, number or list of texts"), ("true", "is no text, number or list of texts"),
        ("{}", "is no text, number or list of texts"), ("[1]", "is no text, number or list of texts"),
        (#"["a","b,c"]"#, "has an element with a comma"), (#""a\nb""#, "has control characters"),
        (#""a\r\nX-Admin: yes""#, "has control characters"), (#""\u0000""#, "has control characters"),
        (#""\u007f""#, "has control characters"), (#""\u0085""#, "has control characters"),
        (#"["a","\u0001"]"#, "has control characters"), (#""ann ""#, "begins or ends with a space"),
        (#"["a"," b"]"#, "begins or ends with a space"),
    ])
    func `a claim that cannot be sent as it is refuses the token`(value: String, problem: String) throws {
        #expect(try Self.sent(value) == .refused(.claim("the token's x \(problem)")))
    }

    @Test func `a payload that is no object, or has a name twice, is refused although it is signed`() throws {
        #expect(
            try Self.verdict(#"{"sub":"a","sub":"b"}"#)
                == .refused(.malformed("the token's payload has two members with the same name (at byte 11)")))
        #expect(
            try Self.verdict("Payload") == .refused(.malformed("the token's payload is not an object (at byte 0)")))
    }

    /// RFC 7519 section 3.1.
    @Test func `the token of the standard is good at its time`() throws {
        let check = TokenCheck(
            .lenient {
                $0.issuers = ["joe"]
                $0.expires = .required
                $0.requirements = [.init(claim: "http://example.com/is_root", value: "true")]
            })
        let keys = try KeySet.of(Standard.hs256.key)
        #expect(
            check.verdict(on: Standard.hs256.token, keys: keys, now: 1_300_819_379)
                == .granted(Grant(expires: 1_300_819_410)))
        #expect(
            check.verdict(on: Standard.hs256.token, keys: keys, now: 1_300_819_410) == .refused(.expired(by: 30)))
    }
}
