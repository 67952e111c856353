import Testing
import WebSocketProtocol

@Suite struct FrameReaderViolationTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        /// Valid frames before the one that breaks a rule.
        var before: [UInt8] = []
        var bad: [UInt8]
        var violation: Violation
        var rules: FrameReader.Rules

        var testDescription: String { "\(self.name), \(self.rules.expectsMask ? "client" : "server")" }
    }

    /// Every rule, broken by either side.
    static let cases: [Case] = [someKey, nil].flatMap { (key: MaskingKey?) -> [Case] in
        let rules = FrameReader.Rules(expectsMask: key != nil)
        func frame(_ opcode: Opcode, _ payload: [UInt8] = [], fin: Bool = true, rsv1: Bool = false) -> [UInt8] {
            Frame.of(opcode, payload, fin: fin, rsv1: rsv1, key: key)
        }
        func changed(_ frame: [UInt8], _ change: (inout [UInt8]) -> Void) -> [UInt8] {
            var frame = frame
            change(&frame)
            return frame
        }
        func header(_ first: UInt8, _ second: UInt8, _ length: [UInt8]) -> [UInt8] {
            [first, second | (key == nil ? 0 : 0x80)] + length + [UInt8](repeating: 1, count: key == nil ? 0 : 4)
        }
        func close(_ payload: [UInt8]) -> [UInt8] { frame(.close, payload) }
        func make(
            _ name: String, _ violation: Violation, after before: [UInt8] = [], rules changed: FrameReader.Rules? = nil,
            _ bad: [UInt8]
        ) -> Case {
            Case(name: name, before: before, bad: bad, violation: violation, rules: changed ?? rules)
        }
        var compressed = rules
        compressed.allowsCompression = true
        var small = rules
        small.maximumMessage = 10
        var few = rules
        few.maximumFragments = 3
        let open = frame(.text, [0x61], fin: false)
        let other = Frame.binary([1, 2, 3], maskingKey: key == nil ? someKey : nil)
        let wrongMask: Violation = key == nil ? .maskedFrame : .unmaskedFrame
        return [
            make("mask", wrongMask, other),
            make("mask on an empty frame", wrongMask, Frame.text("", maskingKey: key == nil ? someKey : nil)),
            make("mask on a ping", wrongMask, after: open, Frame.ping([1], maskingKey: key == nil ? someKey : nil)),
            make("RSV1 not negotiated", .reservedBits, frame(.text, [1], rsv1: true)),
            make(
                "RSV1 on a continuation", .reservedBits, after: open, rules: compressed,
                frame(.continuation, rsv1: true)),
            make("RSV1 on a ping", .reservedBits, rules: compressed, frame(.ping, [1], rsv1: true)),
            make("RSV2", .reservedBits, rules: compressed, changed(frame(.text, [1])) { $0[0] |= 0x20 }),
            make("RSV3 on a close", .reservedBits, changed(frame(.close)) { $0[0] |= 0x10 }),
            make("opcode 3", .unknownOpcode, changed(frame(.text, [1])) { $0[0] = 0x83 }),
            make("opcode 15", .unknownOpcode, after: open, changed(frame(.text, [1])) { $0[0] = 0x8F }),
            make("fragmented ping", .fragmentedControl, changed(frame(.ping, [1])) { $0[0] = 0x09 }),
            make("ping of 126 bytes", .controlTooLong, header(0x89, 126, [0, 126])),
            make("close of 64 KiB", .controlTooLong, header(0x88, 127, [0, 0, 0, 0, 0, 1, 0, 0])),
            make("125 in 16 bits", .lengthNotMinimal, header(0x82, 126, [0, 125])),
            make("65535 in 64 bits", .lengthNotMinimal, header(0x82, 127, [0, 0, 0, 0, 0, 0, 0xFF, 0xFF])),
            make("2^63 bytes", .lengthOverflow, header(0x82, 127, [0x80, 0, 0, 0, 0, 0, 0, 0])),
            make("continuation first", .unexpectedContinuation, frame(.continuation, [1])),
            make("continuation after the end", .unexpectedContinuation, after: frame(.text, [1]), frame(.continuation)),
            make("text inside a message", .expectedContinuation, after: open, frame(.text, [1])),
            make(
                "binary inside a message", .expectedContinuation, after: open + frame(.ping), frame(.binary, fin: false)
            ),
            make(
                "message over the limit", .messageTooBig, rules: small, frame(.binary, [UInt8](repeating: 0, count: 11))
            ),
            make(
                "fragments over the limit in sum", .messageTooBig, after: open, rules: small,
                frame(.continuation, [UInt8](repeating: 0, count: 10))),
            make(
                "declared far over the limit", .messageTooBig, rules: small,
                header(0x82, 127, [0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF])),
            make(
                "a sum over 2^63 without a limit", .messageTooBig, after: open,
                header(0x80, 127, [0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF])),
            make(
                "four empty fragments", .tooManyFragments,
                after: frame(.text, fin: false) + frame(.continuation, fin: false) + frame(.continuation, fin: false),
                rules: few, frame(.continuation)),
            make("close of one byte", .badClosePayload, close([3])),
            make("close code 1005", .badCloseCode, after: open, close([0x03, 0xED])),
            make("close code 0", .badCloseCode, close([0, 0, 0x61])),
            make("close reason", .invalidUTF8, close([0x03, 0xE8, 0x61, 0xC0])),
            make("close reason cut short", .invalidUTF8, close([0x03, 0xE8, 0x61, 0xE2, 0x82])),
        ]
    }

    @Test(arguments: cases)
    func `both front ends stop before a frame that breaks a rule`(_ test: Case) {
        let bytes = test.before + test.bad
        for pieces in cuts(of: bytes) {
            var relay = Relay(test.rules)
            var listener = Listener(test.rules)
            for piece in pieces {
                relay.receive(piece)
                listener.receive(piece)
            }
            #expect(relay.violation == test.violation)
            #expect(relay.forwarded == test.before)
            #expect(listener.heard.last == .violation(test.violation))
        }
    }

    @Test(arguments: cases)
    func `a violation is reported again`(_ test: Case) {
        var reader = FrameReader(rules: test.rules)
        var position = 0
        let bytes = test.before + test.bad
        var event = reader.next(bytes.span, at: &position)
        for _ in test.before { event = reader.next(bytes.span, at: &position) }
        #expect(event == .violation(test.violation))
        #expect(position == test.before.count)
        #expect(reader.next(bytes.span, at: &position) == .violation(test.violation))
        #expect(
            reader.walk(bytes.span, from: position)
                == FrameReader.Walk(end: position, stop: .violation(test.violation)))
    }

    @Test func `every violation has a case`() {
        // The reader does not inflate.
        #expect(Set(Self.cases.map(\.violation)).union([.invalidCompressedData]) == Set(Violation.allCases))
    }

    @Test func `limits are inclusive`() {
        let rules = FrameReader.Rules(expectsMask: false, maximumMessage: 10, maximumFragments: 3)
        func frame(_ opcode: Opcode, _ count: Int, fin: Bool) -> [UInt8] {
            Frame.of(opcode, [UInt8](repeating: 0, count: count), fin: fin, key: nil)
        }
        let message =
            frame(.binary, 5, fin: false) + frame(.continuation, 0, fin: false) + frame(.continuation, 5, fin: true)
        var listener = Listener(rules)
        listener.receive(message + message + frame(.binary, 10, fin: true))
        #expect(listener.heard == [Said](repeating: .binary([UInt8](repeating: 0, count: 10)), count: 3))
        #expect(listener.reader.tally.binary == 3)
    }

    @Test func `a huge declared length is only a number`() {
        let header: [UInt8] = [0x82, 0x7F, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]
        let bytes = header + [UInt8](repeating: 1, count: 1000)
        var relay = Relay(.server)
        var listener = Listener(.server)
        for _ in 0..<3 {
            relay.receive(relay.forwarded.isEmpty ? bytes : Array(bytes[10...]))
            listener.receive(listener.assembler.byteCount == 0 ? bytes : Array(bytes[10...]))
        }
        #expect(relay.forwarded.count == 3010)
        #expect(relay.violation == nil)
        #expect(!relay.reader.isAtFrameBoundary)
        #expect(listener.heard.isEmpty)
        #expect(listener.assembler.byteCount == 3000)
        #expect(listener.reader.tally.payloadBytes == 3000)
    }
}
