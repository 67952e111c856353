import TestSupport
import Testing
import WebSocketProtocol

@Suite struct AcceptKeyTests {
    @Test func answersAsInTheRFC() {
        // RFC 6455 section 1.3.
        #expect(AcceptKey.value(for: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        #expect(AcceptKey.value(for: "x3JJHMbDL1EzLkh9GBhXDw==") == "HSmrc0sMlYUkAGmm5OPpG2HaGWk=")
    }

    @Test(arguments: [
        "dGhlIHNhbXBsZSBub25jZQ==", "AAAAAAAAAAAAAAAAAAAAAA==", "/+/+/+/+/+/+/+/+/+/+/w==",
        // Bits that are none of the 16 bytes may be anything.
        "ABCDEFGHIJKLMNOPQRSTUV==", "AAAAAAAAAAAAAAAAAAAAAB==", "//////////////////////==",
    ])
    func aKeyIs16BytesInBase64(key: String) {
        #expect(AcceptKey.isValidKey(key))
    }

    @Test(arguments: [
        "", "==", "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAAA=",
        "AAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAA==A", "AAAAAAAAAAAAAAAAAAAAA-==",
        " AAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAA===A", "AAAAAAAAAAA=AAAAAAAAAA==", "éAAAAAAAAAAAAAAAAAAAA==",
    ])
    func nothingElseIsAKey(key: String) {
        #expect(!AcceptKey.isValidKey(key))
    }

    @Test func keysThatAreMadeAreValidAndDistinct() {
        let sample = Array("the sample nonce".utf8)
        #expect(AcceptKey.makeKey(random: sample) == "dGhlIHNhbXBsZSBub25jZQ==")
        var generator = SeededGenerator(seed: 6)
        var keys: Set<String> = []
        for _ in 0..<200 {
            let key = AcceptKey.makeKey(
                random: (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
            #expect(AcceptKey.isValidKey(key))
            keys.insert(key)
        }
        #expect(keys.count == 200)
    }
}
