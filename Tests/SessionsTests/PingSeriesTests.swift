import Testing
import WebSocketProtocol

@testable import Sessions

@Suite struct PingSeriesTests {
    private func expect(
        _ expected: PingSeries.Pong, _ series: inout PingSeries, _ payload: [UInt8],
        maskingKey: MaskingKey? = MaskingKey(1, 2, 3, 4), _ location: SourceLocation = #_sourceLocation
    ) throws {
        // Not at the beginning, as in a read.
        let bytes = [0xEE, 0xEE] + Frame.pong(payload, maskingKey: maskingKey)
        var reader = FrameReader(rules: .init(expectsMask: maskingKey != nil))
        guard case .control(let frame) = reader.walk(bytes.span, from: 2).stop else {
            Issue.record("no pong", sourceLocation: location)
            return
        }
        let pong = series.received(frame, in: bytes.span)
        #expect(pong == expected, sourceLocation: location)
    }

    @Test func `the payload is the nonce and a counter`() {
        var series = PingSeries(nonce: 0x0102_0304_0506_0708)
        #expect(series.next() == [1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 1])
        #expect(series.next() == [1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 2])
    }

    @Test(arguments: [nil, MaskingKey(9, 8, 7, 6)]) func `a pong answers its ping once`(key: MaskingKey?) throws {
        var series = PingSeries(nonce: .max)
        let payload = series.next()
        try self.expect(.latest, &series, payload, maskingKey: key)
        try self.expect(.foreign, &series, payload, maskingKey: key)
    }

    @Test func `a pong answers the earlier pings, too`() throws {
        var series = PingSeries(nonce: 7)
        let payloads = (0..<4).map { _ in series.next() }
        try self.expect(.earlier, &series, payloads[1])
        try self.expect(.foreign, &series, payloads[0])
        try self.expect(.foreign, &series, payloads[1])
        try self.expect(.latest, &series, payloads[3])
        try self.expect(.foreign, &series, payloads[2])
    }

    @Test func `a pong with another payload is foreign`() throws {
        var series = PingSeries(nonce: 7)
        var future = series
        let payload = series.next()
        _ = future.next()
        let next = future.next()
        try self.expect(.foreign, &series, [])
        try self.expect(.foreign, &series, Array(payload.dropLast()))
        try self.expect(.foreign, &series, payload + [0])
        try self.expect(.foreign, &series, next)
        for index in payload.indices {
            var other = payload
            other[index] ^= 0x80
            try self.expect(.foreign, &series, other)
        }
        try self.expect(.latest, &series, payload)
    }

    @Test func `every pong before our first ping is foreign`() throws {
        var series = PingSeries(nonce: 0)
        try self.expect(.foreign, &series, [UInt8](repeating: 0, count: 12))
    }
}
