import Testing

@testable import WebSocketProtocol

/// Faults of other gateways and libraries in open sessions: one test each, from bytes to the violation. Those of the
/// opening handshake stand with the tests of the handshake.
struct AdvisoryTests {
    /// The header of a client's binary frame with this length field.
    private static func header(_ length: [UInt8]) -> [UInt8] {
        [0x82, 0x80 | length[0]] + length[1...] + [1, 2, 3, 4]
    }

    private static func length(_ length: UInt64) -> [UInt8] {
        [127] + (0..<8).map { UInt8(truncatingIfNeeded: length >> (56 - 8 * UInt64($0))) }
    }

    private func violation(_ bytes: [UInt8], _ rules: FrameReader.Rules) -> Violation? {
        var relay = Relay(rules)
        relay.receive(bytes)
        var listener = Listener(rules)
        listener.receive(bytes)
        let heard: Violation? = if case .violation(let violation) = listener.heard.last { violation } else { nil }
        #expect(relay.violation == heard)
        return heard
    }

    @Test(
        arguments: [
            (1 << 63, .lengthOverflow), (.max, .lengthOverflow), ((1 << 63) - 1, .messageTooBig),
            (1 << 32, .messageTooBig),
            ((1 << 32) + 1, .messageTooBig), (1 << 31, .messageTooBig),
        ] as [(UInt64, Violation)])
    func `CVE-2020-27813, CVE-2026-1528, CVE-2026-50161: lengths that overflow`(_ length: UInt64, _ expected: Violation)
    {
        var rules = FrameReader.Rules.client
        rules.maximumMessage = 1 << 20
        #expect(self.violation(Self.header(Self.length(length)), rules) == expected)
    }

    @Test func `CVE-2020-27813: fragments whose sum overflows`() {
        // Without a limit the largest number is one.
        let first: [UInt8] = [0x02, 0x81, 0, 0, 0, 0, 7]
        let second: [UInt8] = [0x80, 0xFF] + Self.length(UInt64(Int.max))[1...] + [0, 0, 0, 0]
        #expect(self.violation(first + second, .client) == .messageTooBig)
    }

    @Test func `CVE-2026-50161: a length that is not there holds no memory`() {
        var listener = Listener(.client)
        for byte in Self.header(Self.length(1 << 40)) { listener.receive([byte]) }
        #expect(listener.heard.isEmpty)
        #expect(listener.mostHeld < 14)
    }

    @Test(arguments: [0, 1])
    func `CVE-2026-48779, CVE-2026-62389, CVE-2026-12151, CVE-2026-9675: fragments without end, empty or tiny`(
        _ size: Int
    ) {
        var rules = FrameReader.Rules.client
        rules.maximumFragments = 1024
        let payload = [UInt8](repeating: 0x41, count: size)
        let start = Frame.of(.text, payload, fin: false, key: someKey)
        let more = Frame.of(.continuation, payload, fin: false, key: someKey)
        #expect(self.violation(start + repeatElement(more, count: 1023).joined(), rules) == nil)
        #expect(self.violation(start + repeatElement(more, count: 1024).joined(), rules) == .tooManyFragments)
    }

    @Test func `GHSA-frh3-6pv6-rc8j, CVE-2026-1526, CVE-2018-1000518: a bomb is noticed at the limit`() {
        // It inflates to a thousand times its size.
        let direction = DeflateParameters.Direction(windowBits: 15, keepsContext: true)
        var bomb: [UInt8] = []
        Deflater(direction).append([UInt8](repeating: 0, count: 2 << 20).span, to: &bomb)
        #expect(bomb.count < 4 << 10)
        let limit = 64 << 10
        let inflater = Inflater(direction, maximumMessage: limit)
        var buffer = [UInt8](repeating: 0, count: 4096)
        var position = 0
        while true {
            var room = buffer.mutableSpan
            switch inflater.inflate(bomb.span, at: &position, isFinal: true, into: &room) {
            case .more: #expect(inflater.messageLength <= limit)
            case .end: return #expect(Bool(false), "it was inflated")
            case .violation(let violation):
                #expect(violation == .messageTooBig)
                #expect(inflater.messageLength <= limit + buffer.count)
                return
            }
        }
    }

    @Test(arguments: [true, false])
    func `CVE-2019-17567: masks are looked at`(_ expectsMask: Bool) {
        let frame = Frame.of(.text, [0x41], key: expectsMask ? nil : someKey)
        #expect(self.violation(frame, expectsMask ? .client : .server) == (expectsMask ? .unmaskedFrame : .maskedFrame))
    }
}
