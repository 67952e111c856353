import Balancing
import Testing

@Suite struct StableHashTests {
    /// The published values of 64-bit FNV-1a.
    @Test(
        arguments: [
            ("", 0xCBF2_9CE4_8422_2325),
            ("a", 0xAF63_DC4C_8601_EC8C),
            ("foobar", 0x8594_4171_F739_67E8),
        ] as [(String, UInt64)])
    func `the hash is FNV-1a`(_ text: String, _ expected: UInt64) {
        #expect(StableHash.of(text) == expected)
        #expect(StableHash.of(Array(text.utf8)) == expected)
    }

    /// However the bytes are cut.
    @Test func `a hash of parts equals the hash of the whole`() {
        let bytes = Array("10.1.2.3 /chat/ünïcode".utf8)
        for cut in 0...bytes.count {
            var hash = StableHash()
            hash.add(bytes[..<cut])
            hash.add(bytes[cut...])
            #expect(hash.value == StableHash.of(bytes))
        }
    }

    @Test func `different names have different hashes`() {
        let names = (0..<100).flatMap { host in (3_000..<3_100).map { "ws://10.0.0.\(host):\($0)" } }
        #expect(Set(names.map(StableHash.of)).count == names.count)
    }
}
