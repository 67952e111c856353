import Configuration
import Foundation
import Testing

@testable import Credentials

/// Project Wycheproof's tests of JSON Web Signatures and Keys: every verdict.
struct WycheproofTests {
    private struct File: Decodable {
        let testGroups: [Group]
    }

    private struct Group: Decodable {
        let tests: [Case]
    }

    private struct Case: Decodable {
        let tcId: Int
        let comment: String
        let jws: String
        let result: String
    }

    /// The sets of keys as they are in the file, by group: what others make of the text is not what is tested.
    ///
    /// - Parameter hasAlgorithms: Whether the keys keep their `alg`.
    private static func sets(_ bytes: Data, hasAlgorithms: Bool) throws -> [[UInt8]] {
        let file = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
        let groups = try #require(file["testGroups"] as? [[String: Any]])
        return try groups.map { group in
            let keys = try #require((group["public"] ?? group["private"]) as? [String: Any])
            var list = try #require(keys["keys"] as? [[String: Any]] ?? [keys])
            if !hasAlgorithms { for index in list.indices { list[index]["alg"] = nil } }
            return Array(try JSONSerialization.data(withJSONObject: ["keys": list]))
        }
    }

    /// The cases of a file in which the verdict is another, by number, and how many there are.
    private static func differing(
        _ name: String, hasAlgorithms: Bool = true
    ) throws -> (differing: [Int: String], count: Int) {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Vectors/\(name)")
        let bytes = try Data(contentsOf: url)
        let groups = try JSONDecoder().decode(File.self, from: bytes).testGroups
        var differing: [Int: String] = [:]
        for (group, set) in zip(groups, try self.sets(bytes, hasAlgorithms: hasAlgorithms)) {
            for test in group.tests {
                let verdict = self.verdict(on: test.jws, set)
                if (verdict == nil) != (test.result == "valid") {
                    differing[test.tcId] = verdict ?? "accepted"
                }
            }
        }
        return (differing, groups.reduce(0) { $0 + $1.tests.count })
    }

    /// `nil`: good. All algorithms are allowed, so that what refuses is the keys.
    private static func verdict(on token: String, _ set: [UInt8]) -> String? {
        do {
            let keys = try KeySet(parsing: set, from: .file)
            _ = try TokenCheck(.lenient(SignatureAlgorithm.allCases)).verified(token, keys: keys)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test
    func `signatures get the verdicts of the suite, but for those that are stricter or that contradict themselves`()
        throws
    {
        let (differing, count) = try Self.differing("json_web_signature_test.json")
        #expect(count == 401)
        #expect(
            differing == [
                // The key says PS256, and the token PS384: `alg` of a key is its only algorithm (RFC 7517 section 4.4).
                346: "no key bilbo.baggins@hobbiton.example fits the token's algorithm",
                350: "no key bilbo.baggins@hobbiton.example fits the token's algorithm",
                // The key says ES521, which is no algorithm.
                347:
                    "has no key that can be used; key 1 (kid bilbo.baggins@hobbiton.example) is left out: it is for the algorithm `ES521`, which no token can be signed with here",
                351:
                    "has no key that can be used; key 1 (kid bilbo.baggins@hobbiton.example) is left out: it is for the algorithm `ES521`, which no token can be signed with here",
                // A `?` in base64url, which the suite would skip (RFC 7515 section 2: no other characters).
                372: "the token's header is no base64url", 373: "the token's payload is no base64url",
                // Byte for byte the token of 357, which is valid: the padding that the comments speak of got lost.
                367: "accepted", 370: "accepted",
            ])
    }

    @Test func `keys get the verdicts of the suite, but for those that it calls ambiguous`() throws {
        let (differing, count) = try Self.differing("json_web_key_test.json")
        #expect(count == 26)
        #expect(
            differing == [
                // A set with secrets and public keys: each is used for its own kind alone.
                1: "accepted",
                // Two keys of one name: both are tried, and there is a warning (RFC 7517 section 4.5 says SHOULD).
                4: "accepted",
            ])
    }

    /// The examples of RFC 7520 sections 4.1 to 4.4 among them, whose keys say nothing of their algorithm there.
    @Test
    func `without alg in their keys the signatures are right that are right, and some more algorithms may be used`()
        throws
    {
        let (differing, _) = try Self.differing("json_web_signature_test.json", hasAlgorithms: false)
        #expect(
            differing.keys.sorted() == [
                // Right signatures in algorithms that only `alg` of the key, PS512, forbids.
                332, 334, 336, 338, 340,
                // As above.
                367, 370, 372, 373,
            ])
    }
}
