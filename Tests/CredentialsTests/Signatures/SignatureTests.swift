import Configuration
import Testing

@testable import Credentials

struct SignatureTests {
    /// What becomes of a token where these algorithms are allowed.
    private static func flaw(_ token: String, _ algorithms: [SignatureAlgorithm], _ keys: KeySet) -> Flaw? {
        do {
            _ = try TokenCheck(.lenient(algorithms)).verified(token, keys: keys)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        (Standard.hs256, SignatureAlgorithm.hs256), (Standard.rs256, .rs256), (Standard.es256, .es256),
        (Standard.es512, .es512), (Standard.edDSA, .edDSA),
    ])
    func `the tokens of the standards are right, and none of their bits may change`(
        example: (key: String, token: String), algorithm: SignatureAlgorithm
    ) throws {
        let keys = try KeySet.of(example.key)
        #expect(Self.flaw(example.token, [algorithm], keys) == nil)
        #expect(Self.flaw(example.token, SignatureAlgorithm.allCases, keys) == nil)
        // One character in each part.
        let parts = example.token.split(separator: ".").map(String.init)
        for index in 0..<3 {
            var changed = parts
            let character = changed[index].dropFirst(4).first
            changed[index] = changed[index].prefix(4) + (character == "A" ? "B" : "A") + changed[index].dropFirst(5)
            #expect(Self.flaw(changed.joined(separator: "."), [algorithm], keys) != nil, "part \(index)")
        }
    }

    @Test func `the algorithm is the configuration's, and never the token's`() throws {
        let keys = try KeySet.of(Standard.rs256.key, Standard.es256.key)
        #expect(Self.flaw(Standard.rs256.token, [.es256, .ps256], keys) == .algorithm("RS256"))
        let signer = try Signer()
        #expect(
            Self.flaw(signer.token("{}", header: #"{"alg":"hs256"}"#), [.hs256], signer.keys) == .algorithm("hs256"))
        #expect(
            Self.flaw(signer.token("{}", header: #"{"alg":"HS512"}"#), [.hs256], signer.keys) == .algorithm("HS512"))
        #expect(Self.flaw(signer.token("{}", header: #"{"alg":"HS512"}"#), [.hs512], signer.keys) == .signature)
    }

    /// What everyone knows of an RSA key, in all the forms that a library may take for a secret.
    @Test func `a public key is never the secret of HMAC`() throws {
        let keys = try KeySet.of(Standard.rs256.key, Standard.es256.key, Standard.edDSA.key)
        let secrets = [
            Standard.rs256.key, Standard.es256.key, "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "AQAB",
        ]
        for secret in secrets {
            let signed = "\(encoded(#"{"alg":"HS256"}"#)).\(encoded("{}"))"
            let signature = HMAC.value(of: Array(signed.utf8), key: Array(secret.utf8), hash: "SHA256")
            let token = "\(signed).\(encoded(signature))"
            #expect(Self.flaw(token, [.rs256, .es256, .edDSA], keys) == .algorithm("HS256"))
            #expect(Self.flaw(token, SignatureAlgorithm.allCases, keys) == .unknownKey(nil))
        }
    }

    @Test(arguments: ["none", "None", "NONE", "nOnE"])
    func `a token without a signature is refused, whatever is allowed`(name: String) throws {
        let keys = try Signer().keys
        for signature in ["", "AA"] {
            let token = "\(encoded("{\"alg\":\"\(name)\"}")).\(encoded("{}")).\(signature)"
            #expect(Self.flaw(token, SignatureAlgorithm.allCases, keys) == .malformed("the token is not signed"))
        }
    }

    @Test func `an unsigned token, and an encrypted one, of the standards are refused`() throws {
        let keys = try Signer().keys
        #expect(Self.flaw(Standard.unsigned, [.hs256], keys) == .malformed("the token is not signed"))
        #expect(Self.flaw(Standard.encrypted, [.hs256], keys) == .malformed("the token is encrypted"))
    }

    @Test(arguments: [
        (#"{"alg":"HS256","crit":["exp"],"exp":1}"#, "the token's header has `crit`"),
        (#"{"alg":"HS256","crit":[]}"#, "the token's header has `crit`"),
        (#"{"alg":"HS256","b64":false}"#, "the token's header has `b64`"),
        (#"{"alg":"HS256","b64":true}"#, "the token's header has `b64`"),
        (#"{"typ":"JWT"}"#, "the token's header has no `alg`"), (#"{"alg":5}"#, "the token's header has no `alg`"),
        (#"{"alg":"HS256","kid":5}"#, "the token's `kid` is no text"),
        (#"{"alg":"HS256","alg":"HS256"}"#, "the token's header has two members with the same name (at byte 15)"),
        (#"{"alg":"none","alg":"HS256"}"#, "the token's header has two members with the same name (at byte 14)"),
        (#"["HS256"]"#, "the token's header is not an object (at byte 0)"),
        ("", "the token's header is not an object (at byte 0)"),
    ])
    func `headers that are not plain are refused although the signature is right`(
        header: String, problem: String
    ) throws {
        let signer = try Signer()
        #expect(Self.flaw(signer.token("{}", header: header), [.hs256], signer.keys) == .malformed(problem))
    }

    /// RFC 7515 sections 4.1.2, 4.1.3, 4.1.5 and 4.1.6: a key that the token itself brings.
    @Test func `keys that a token brings, or that it points to, are not used`() throws {
        let signer = try Signer()
        let others = #""jku":"https://evil.example/keys","x5u":"https://evil.example/c","x5c":["AA"],"jwk":"#
        let header = "{\"alg\":\"HS256\",\(others)\(Standard.hs256.key)}"
        #expect(Self.flaw(signer.token("{}", header: header), [.hs256], signer.keys) == nil)
        #expect(Self.flaw(signer.token("{}", header: header), [.hs256], try .of(Standard.hs256.key)) == .signature)
    }

    @Test(arguments: [
        ("", "the token has 1 part instead of 3"), ("a", "the token has 1 part instead of 3"),
        ("a.b", "the token has 2 parts instead of 3"), ("a.b.c.d", "the token has 4 parts instead of 3"),
        ("a.b.c.d.e", "the token is encrypted"), ("....", "the token is encrypted"),
        ("..", "the token's header is not an object (at byte 0)"), ("a.b.c", "the token's header is no base64url"),
    ])
    func `a token has three parts`(token: String, problem: String) throws {
        #expect(Self.flaw(token, [.hs256], try Signer().keys) == .malformed(problem))
    }

    @Test func `padding, spaces, other alphabets and stray bits are refused in each part`() throws {
        let signer = try Signer()
        let token = signer.token("{\"a\":\"??>>\"}")
        #expect(Self.flaw(token, [.hs256], signer.keys) == nil)
        let parts = token.split(separator: ".").map(String.init)
        for (index, name) in ["header", "payload", "signature"].enumerated() {
            for change in ["=", "==", " ", "\n", "%3D", "é", "+", "/"] {
                var changed = parts
                changed[index] += change
                #expect(
                    Self.flaw(changed.joined(separator: "."), [.hs256], signer.keys)
                        == .malformed("the token's \(name) is no base64url"), "\(name) \(change)")
            }
        }
        // The signature has 32 bytes, so that the last character has two bits too many.
        let last = try #require(token.utf8.last)
        let stray = String(decoding: token.utf8.dropLast() + [last + 1], as: UTF8.self)
        #expect(Self.flaw(stray, [.hs256], signer.keys) == .malformed("the token's signature is no base64url"))
    }

    @Test func `a signature of ECDSA has the length of its curve, and is not in DER`() throws {
        let keys = try KeySet.of(Standard.es256.key)
        let parts = Standard.es256.token.split(separator: ".").map(String.init)
        for count in [0, 1, 63, 65, 128] {
            let token = "\(parts[0]).\(parts[1]).\(encoded(Array(repeating: UInt8(1), count: count)))"
            #expect(
                Self.flaw(token, [.es256], keys) == (count == 0 ? .malformed("the token has no signature") : .signature)
            )
        }
    }

    @Test func `a name that no key has is told, so that keys can be asked for again`() throws {
        let signer = try Signer(id: "one")
        #expect(Self.flaw(signer.token("{}", header: #"{"alg":"HS256","kid":"one"}"#), [.hs256], signer.keys) == nil)
        #expect(Self.flaw(signer.token("{}"), [.hs256], signer.keys) == nil)
        let other = signer.token("{}", header: #"{"alg":"HS256","kid":"two"}"#)
        #expect(Self.flaw(other, [.hs256], signer.keys) == .unknownKey("two"))
    }

    @Test func `one of several keys without a name may be the right one`() throws {
        let signer = try Signer()
        let secret = encoded((0..<64).map { UInt8($0) })
        let keys = try KeySet.of(Standard.hs256.key, "{\"kty\":\"oct\",\"k\":\"\(secret)\"}")
        #expect(Self.flaw(signer.token("{}"), [.hs256], keys) == nil)
    }
}
