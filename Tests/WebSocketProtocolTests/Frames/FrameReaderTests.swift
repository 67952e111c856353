import Testing
import WebSocketProtocol

@Suite struct FrameReaderTests {
    /// A stream with every kind of frame, and its content.
    static func stream(_ key: MaskingKey?) -> (bytes: [UInt8], says: [Said]) {
        func frame(_ opcode: Opcode, _ payload: [UInt8], fin: Bool = true) -> [UInt8] {
            Frame.of(opcode, payload, fin: fin, key: key)
        }
        let long = (0..<300).map { UInt8(truncatingIfNeeded: $0) }
        let bytes =
            Frame.text("κόσμε", maskingKey: key) + frame(.binary, []) + frame(.ping, [1, 2, 3])
            + frame(.text, [0xCE], fin: false) + frame(.pong, []) + frame(.continuation, [], fin: false)
            + frame(.continuation, [0xBA, 0x21]) + frame(.binary, long) + frame(.binary, [9], fin: false)
            + frame(.continuation, []) + frame(.ping, Array(long[..<125]))
            + Frame.close(.goingAway, reason: "bye €", maskingKey: key)
        let says: [Said] = [
            .text(Array("κόσμε".utf8)), .binary([]), .control(.ping, [1, 2, 3]), .control(.pong, []),
            .text(Array("κ!".utf8)), .binary(long), .binary([9]), .control(.ping, Array(long[..<125])),
            .control(.close, [0x03, 0xE9] + Array("bye €".utf8)),
        ]
        return (bytes, says)
    }

    @Test(arguments: [someKey, nil])
    func `an endpoint reads the same however the bytes are cut`(key: MaskingKey?) {
        let (bytes, says) = Self.stream(key)
        for pieces in cuts(of: bytes) {
            var listener = Listener(FrameReader.Rules(expectsMask: key != nil))
            for piece in pieces { listener.receive(piece) }
            #expect(listener.heard == says)
            #expect(listener.held.isEmpty)
            #expect(listener.mostHeld < 131)
            #expect(listener.reader.isAtFrameBoundary)
            #expect(listener.reader.isAtMessageBoundary)
            #expect(listener.reader.tally == Self.tally)
        }
    }

    @Test(arguments: [someKey, nil])
    func `a relay forwards the same bytes however they are cut`(key: MaskingKey?) {
        let (bytes, says) = Self.stream(key)
        let controls = says.filter { if case .control = $0 { true } else { false } }.count
        for pieces in cuts(of: bytes) {
            var relay = Relay(FrameReader.Rules(expectsMask: key != nil))
            for piece in pieces { relay.receive(piece) }
            #expect(relay.forwarded == bytes)
            #expect(relay.violation == nil)
            #expect(relay.controls.count == controls)
            #expect(relay.held.isEmpty)
            #expect(relay.mostHeld < 131)
            #expect(relay.reader.tally == Self.tally)
        }
    }

    static var tally: MessageTally {
        var tally = MessageTally()
        tally.text = 2
        tally.binary = 3
        tally.payloadBytes = 10 + 3 + 300 + 1
        return tally
    }

    @Test func `one walk passes many frames and stops at a control frame`() {
        let data = (0..<50).flatMap { Frame.binary([UInt8](repeating: 7, count: $0)) }
        let bytes = data + Frame.ping([5]) + Frame.text("x") + [0x81]
        var reader = FrameReader(rules: .server)
        let first = reader.walk(bytes.span, from: 0)
        let frame = ControlFrame(
            opcode: .ping, range: data.count..<data.count + 3, payloadRange: data.count + 2..<data.count + 3,
            maskingKey: nil)
        #expect(first == FrameReader.Walk(end: data.count, stop: .control(frame)))
        #expect(frame.payload(in: bytes.span) == [5])
        #expect(reader.walk(bytes.span, from: frame.range.upperBound).stop == .incomplete)
        #expect(reader.tally.binary == 50)
        #expect(reader.tally.text == 1)
    }

    @Test func `a reader knows its place in frame and message`() {
        let bytes = Frame.of(.text, [1, 2, 3], fin: false, key: someKey)
        var reader = FrameReader(rules: .client)
        #expect(reader.isAtFrameBoundary && reader.isAtMessageBoundary)
        #expect(reader.walk(Array(bytes[..<7]).span, from: 0) == FrameReader.Walk(end: 7, stop: .end))
        #expect(!reader.isAtFrameBoundary && !reader.isAtMessageBoundary)
        #expect(reader.walk(Array(bytes[7...]).span, from: 0) == FrameReader.Walk(end: 2, stop: .end))
        #expect(reader.isAtFrameBoundary && !reader.isAtMessageBoundary)
        let last = Frame.of(.continuation, [], key: someKey)
        #expect(reader.walk(last.span, from: 0) == FrameReader.Walk(end: 6, stop: .end))
        #expect(reader.isAtFrameBoundary && reader.isAtMessageBoundary)
        #expect(reader.tally.payloadBytes == 3)
        #expect(reader.tally.text == 1)
    }

    @Test func `a part knows its place in the message`() {
        var rules = FrameReader.Rules.client
        rules.allowsCompression = true
        var reader = FrameReader(rules: rules)
        let bytes =
            Frame.of(.text, [1, 2, 3, 4, 5], fin: false, rsv1: true, key: someKey)
            + Frame.of(.continuation, [], key: someKey)
        var position = 0
        #expect(reader.next(Array(bytes[..<6]).span, at: &position) == .end)
        #expect(position == 6)
        position = 0
        var part = FrameReader.DataPart(
            messageOpcode: .text, range: 0..<2, maskingKey: someKey, isFirst: true, isFinal: false, isCompressed: true)
        #expect(reader.next(Array(bytes[6..<8]).span, at: &position) == .data(part))
        #expect(reader.next(Array(bytes[6..<8]).span, at: &position) == .end)
        position = 0
        let rest = Array(bytes[8...])
        part.range = 0..<3
        part.maskingKey = someKey.rotated(by: 2)
        part.isFirst = false
        #expect(reader.next(rest.span, at: &position) == .data(part))
        part.range = 9..<9
        part.maskingKey = someKey
        part.isFinal = true
        #expect(reader.next(rest.span, at: &position) == .data(part))
        #expect(reader.next(rest.span, at: &position) == .end)
        #expect(position == rest.count)
    }
}
