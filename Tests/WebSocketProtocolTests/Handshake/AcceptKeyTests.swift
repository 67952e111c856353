import TestSupport
import Testing
import WebSocketProtocol

@Suite struct AcceptKeyTests {
    @Test func `the accept value is that of the RFC's example`() {
        // RFC 6455 section 1.3.
        #expect(AcceptKey.value(for: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        #expect(AcceptKey.value(for: "x3JJHMbDL1EzLkh9GBhXDw==") == "HSmrc0sMlYUkAGmm5OPpG2HaGWk=")
    }

    @Test(arguments: [
        "dGhlIHNhbXBsZSBub25jZQ==", "AAAAAAAAAAAAAAAAAAAAAA==", "/+/+/+/+/+/+/+/+/+/+/w==",
        // The bits beyond 16 bytes may have any value.
        "ABCDEFGHIJKLMNOPQRSTUV==", "AAAAAAAAAAAAAAAAAAAAAB==", "//////////////////////==",
    ])
    func `a key is 16 bytes in Base64`(key: String) {
        #expect(AcceptKey.isValidKey(key))
    }

    @Test(arguments: [
        "", "==", "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAAA=",
        "AAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAA==A", "AAAAAAAAAAAAAAAAAAAAA-==",
        " AAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAA===A", "AAAAAAAAAAA=AAAAAAAAAA==", "éAAAAAAAAAAAAAAAAAAAA==",
    ])
    func `nothing else is a key`(key: String) {
        #expect(!AcceptKey.isValidKey(key))
    }

    @Test func `new keys are valid and distinct`() {
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
