import Configuration
import Testing

@testable import Credentials

struct KeySetTests {
    private static let secret = encoded(Array(repeating: 7, count: 32))

    /// The one warning about a key that is left out beside a good one.
    private static func warning(_ key: String, from origin: KeySet.Origin = .file) throws -> String {
        let set = try KeySet.of(Standard.es256.key, key, from: origin)
        #expect(set.keys.count == 1)
        return try #require(set.warnings.first)
    }

    @Test func `keys of all kinds are read`() throws {
        let set = try KeySet.of(
            Standard.hs256.key, Standard.rs256.key, Standard.es256.key, Standard.es512.key, Standard.edDSA.key)
        #expect(set.keys.count == 5)
        #expect(set.warnings.isEmpty)
    }

    @Test(arguments: [
        (#"{"kty":"XYZ"}"#, "key 2 is left out: it is of the unknown kind `XYZ`"),
        (#"{"kid":"a"}"#, "key 2 (kid a) is left out: it has no `kty`"),
        ("7", "key 2 is left out: it is no JSON object"),
        (#"{"kty":7}"#, "key 2 is left out: it has a `kty` that is no text"),
        (#"{"kty":"oct"}"#, "key 2 is left out: it has no `k`"),
        (#"{"kty":"oct","k":"a+b="}"#, "key 2 is left out: it has a `k` that is no base64url"),
        (
            #"{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg"}"#,
            "key 2 is left out: it is a secret of 31 bytes, and 32 are the least"
        ),
        (
            "{\"kty\":\"oct\",\"alg\":\"HS384\",\"k\":\"\(secret)\"}",
            "key 2 is left out: it is a secret of 32 bytes, and 48 are the least"
        ),
        (
            "{\"kty\":\"oct\",\"alg\":\"RS256\",\"k\":\"\(secret)\"}",
            "key 2 is left out: it has the `alg` `RS256`, which is not for its kind"
        ),
        (
            "{\"kty\":\"oct\",\"alg\":\"A256KW\",\"k\":\"\(secret)\"}",
            "key 2 is left out: it is for the algorithm `A256KW`, which no token can be signed with here"
        ),
        (
            "{\"kty\":\"oct\",\"use\":\"enc\",\"k\":\"\(secret)\"}",
            "key 2 is left out: it is for the use `enc`, and not for signatures"
        ),
        (
            "{\"kty\":\"oct\",\"key_ops\":[\"sign\"],\"k\":\"\(secret)\"}",
            "key 2 is left out: it may not verify, as `key_ops` says"
        ),
        (
            "{\"kty\":\"oct\",\"key_ops\":\"verify\",\"k\":\"\(secret)\"}",
            "key 2 is left out: it has `key_ops` that are no list of texts"
        ),
        (
            "{\"kty\":\"oct\",\"key_ops\":[\"verify\",\"verify\"],\"k\":\"\(secret)\"}",
            "key 2 is left out: it has an entry of `key_ops` twice"
        ),
        (#"{"kty":"EC","crv":"P-224","x":"AA","y":"AA"}"#, "key 2 is left out: it has the unknown curve `P-224`"),
        (
            #"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#,
            "key 2 is left out: it has coordinates that are not of 32 bytes each, as P-256 has them"
        ),
        (
            "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"\(secret)\",\"y\":\"\(secret)\"}",
            "key 2 is left out: it is no point of the curve P-256"
        ),
        (
            #"{"kty":"OKP","crv":"X25519","x":"AA"}"#,
            "key 2 is left out: it has the curve `X25519`, and only Ed25519 can sign tokens here"
        ),
        (#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#, "key 2 is left out: it is no Ed25519 key"),
        (
            "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"\(secret)\"}",
            "key 2 is left out: it has a modulus of 251 bits, and 2048 are the least"
        ),
    ])
    func `a key that cannot be used is left out, with a warning that says why`(key: String, warning: String) throws {
        #expect(try Self.warning(key) == warning)
    }

    @Test func `RSA keys of one bit too few are left out, and exponents of 1 or 2`() throws {
        func rsa(bits: Int, exponent: String) -> String {
            // An odd number that begins with a one.
            let first = UInt8(1 << ((bits - 1) % 8))
            let modulus = [first] + Array(repeating: 0x5B, count: (bits + 7) / 8 - 1)
            return "{\"kty\":\"RSA\",\"n\":\"\(encoded(modulus))\",\"e\":\"\(exponent)\"}"
        }
        #expect(
            try Self.warning(rsa(bits: 2047, exponent: "AQAB"))
                == "key 2 is left out: it has a modulus of 2047 bits, and 2048 are the least")
        #expect(
            try Self.warning(rsa(bits: 8193, exponent: "AQAB"))
                == "key 2 is left out: it has a modulus of 8193 bits, and 8192 are the most")
        for exponent in ["AQ", "Ag", "AAAAAAAAAAAB", "AQEBAQEBAQEB"] {
            #expect(
                try Self.warning(rsa(bits: 2048, exponent: exponent))
                    == "key 2 is left out: it has an exponent that is even, 1 or longer than 8 bytes")
        }
    }

    @Test func `no secret is taken from a URL`() throws {
        #expect(
            try Self.warning(Standard.hs256.key, from: .url)
                == "key 2 is left out: it is a secret, which no URL may give away")
    }

    @Test func `a private part is warned of, and so is a name that two keys have`() throws {
        let one = "{\"kid\":\"a\",\"d\":\"AA\",\(Standard.es256.key.dropFirst())"
        let other = "{\"kid\":\"a\",\(Standard.rs256.key.dropFirst())"
        let set = try KeySet.of(one, other)
        #expect(set.keys.count == 2)
        #expect(
            set.warnings == [
                "key 1 (kid a) has its private part in it: remove that",
                "key 2 (kid a) has the name of another key: both are tried",
            ])
    }

    @Test(arguments: [
        (#"{"keys":[]}"#, "has no key that can be used"),
        (#"{"keys":[{"kty":"a"}]}"#, "has no key that can be used; key 1 is left out: it is of the unknown kind `a`"),
        ("{}", "is no JWK Set: it has no list `keys`"), (#"{"keys":{}}"#, "is no JWK Set: it has no list `keys`"),
        (Standard.es256.key, "is one key and no JWK Set: write {\"keys\": […]} around it"),
        ("-----BEGIN PUBLIC KEY-----\n", "is no JWK Set: it is PEM; make JSON of it"),
        ("", "is no JWK Set: it is not an object (at byte 0)"),
        (#"{"keys":[],"keys":[]}"#, "is no JWK Set: it has two members with the same name (at byte 11)"),
        (
            "{\"keys\":[\(Standard.es256.key.dropLast()),\"crv\":\"P-256\"}]}",
            "is no JWK Set: it has two members with the same name (at byte 135)"
        ),
    ])
    func `what is no set of usable keys is refused`(text: String, problem: String) {
        let mistake = #expect(throws: KeySet.Mistake.self) { try KeySet(parsing: Array(text.utf8), from: .file) }
        #expect(mistake?.description == problem)
    }

    @Test func `a set may have 256 KiB`() throws {
        let text = "{\"keys\":[\(Standard.es256.key)]"
        let spaces = String(repeating: " ", count: KeySet.mostBytes - text.utf8.count - 1)
        _ = try KeySet(parsing: Array("\(text)\(spaces)}".utf8), from: .url)
        #expect(throws: KeySet.Mistake.self) { try KeySet(parsing: Array("\(text)\(spaces) }".utf8), from: .url) }
    }

    /// Which key fits which algorithm, in full.
    @Test func `a key is used for the algorithms of its kind alone`() throws {
        let set = try KeySet.of(
            Standard.hs256.key, "{\"kty\":\"oct\",\"k\":\"\(Self.secret)\"}", Standard.rs256.key,
            Standard.es256.key, Standard.es512.key, Standard.edDSA.key)
        let fitting: [[SignatureAlgorithm]] = [
            [.hs256, .hs384, .hs512], [.hs256], [.rs256, .rs384, .rs512, .ps256, .ps384, .ps512], [.es256], [.es512],
            [.edDSA],
        ]
        for (key, algorithms) in zip(set.keys, fitting) {
            #expect(SignatureAlgorithm.allCases.filter(key.fits) == algorithms)
        }
    }

    @Test func `alg leaves a key one algorithm`() throws {
        let set = try KeySet.of("{\"alg\":\"PS384\",\(Standard.rs256.key.dropFirst())")
        #expect(SignatureAlgorithm.allCases.filter(set.keys[0].fits) == [.ps384])
    }

    @Test func `kid chooses the key, and without one each that fits is tried`() throws {
        func key(_ id: String) -> String { "{\"kid\":\"\(id)\",\(Standard.es256.key.dropFirst())" }
        let set = try KeySet.of(key("a"), key("b"), Standard.rs256.key, Standard.es256.key)
        #expect(set.candidates(for: .es256, id: "a").map(\.id) == ["a", nil])
        #expect(set.candidates(for: .es256, id: "x").map(\.id) == [nil])
        #expect(set.candidates(for: .es256, id: nil).map(\.id) == ["a", "b", nil])
        #expect(set.candidates(for: .es384, id: nil).isEmpty)
    }
}
