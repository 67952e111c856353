import TestSupport
import Testing
import WebSocketProtocol

/// Random frames, valid and invalid, in random pieces. Both front ends must agree.
@Suite struct FrameReaderRandomTests {
    static let limits = FrameReader.Rules(
        expectsMask: true, allowsCompression: true, maximumMessage: 400, maximumFragments: 4)

    private func stream(mistakes: Bool, using generator: inout SeededGenerator) -> [UInt8] {
        var bytes: [UInt8] = []
        var fragments = 0
        for _ in 0..<Int.random(in: 1...12, using: &generator) {
            let key = MaskingKey(bits: UInt32.random(in: .min ... .max, using: &generator))
            let length = [0, 1, 5, 90, 125, 126, 130].randomElement(using: &generator) ?? 0
            let payload = (0..<length).map { _ in UInt8.random(in: 0x20...0x7E, using: &generator) }
            var frame: [UInt8]
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: frame = Frame.ping(Array(payload.prefix(125)), maskingKey: key)
            case 1: frame = Frame.close(.normal, reason: String(decoding: payload, as: UTF8.self), maskingKey: key)
            default:
                let fin = fragments == 2 || Bool.random(using: &generator)
                let opcode: Opcode =
                    fragments > 0 ? .continuation : Bool.random(using: &generator) ? .text : .binary
                frame = Frame.of(opcode, payload, fin: fin, key: key)
                fragments = fin ? 0 : fragments + 1
            }
            if mistakes && Int.random(in: 0..<4, using: &generator) == 0 {
                let index = Int.random(in: 0..<min(frame.count, 8), using: &generator)
                frame[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            }
            bytes += frame
        }
        return bytes
    }

    private func pieces(of bytes: [UInt8], using generator: inout SeededGenerator) -> [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + Int.random(in: 1...60, using: &generator))
            pieces.append(bytes[start..<end])
            start = end
        }
        return pieces
    }

    @Test(arguments: [false, true])
    func `both front ends agree on random streams`(mistakes: Bool) {
        var generator = SeededGenerator(seed: mistakes ? 2 : 3)
        for round in 0..<400 {
            let bytes = self.stream(mistakes: mistakes, using: &generator)
            var relay = Relay(Self.limits)
            for piece in self.pieces(of: bytes, using: &generator) { relay.receive(piece) }
            var whole = Relay(Self.limits)
            whole.receive(bytes)
            #expect(relay.forwarded == whole.forwarded, "round \(round)")
            #expect(relay.violation == whole.violation)
            #expect(relay.reader.tally == whole.reader.tally)

            var reading = Reading(Self.limits)
            for piece in self.pieces(of: bytes, using: &generator) { reading.receive(piece) }
            self.expectAgreement(whole, reading)
            if !mistakes { #expect(whole.violation == nil && whole.forwarded == bytes) }
        }
    }

    /// Every first byte, and every length at which a header changes its form, with and without a mask, whole and cut.
    @Test func `both front ends agree on every header`() {
        let rules = [FrameReader.Rules.client, .server, Self.limits, .init(expectsMask: false, maximumMessage: 125)]
        for rules in rules {
            for first in UInt8.min ... .max {
                for second in [0, 1, 2, 124, 125, 126, 127, 128, 129, 130, 252, 253, 254, 255] as [UInt8] {
                    for extended in [125, 126, 400, 401] {
                        for count in [1, 2, 3, 4, 5, 6, 7, 8, 130, 131, 132, 133, 134, 404, 408, 420] {
                            var bytes = [UInt8](repeating: 0x20, count: count)
                            let head = [first, second, UInt8(extended >> 8), UInt8(extended & 0xFF)]
                            for index in 0..<min(4, count) { bytes[index] = head[index] }
                            var relay = Relay(rules)
                            relay.receive(bytes)
                            var reading = Reading(rules)
                            reading.receive(bytes)
                            self.expectAgreement(relay, reading, "\(head), \(count) bytes")
                        }
                    }
                }
            }
        }
    }

    private func expectAgreement(_ relay: Relay, _ reading: Reading, _ comment: @autoclosure () -> Comment? = nil) {
        #expect(reading.violation == relay.violation, comment())
        #expect(reading.passed == relay.forwarded.count, comment())
        #expect(reading.controls == relay.controls.count, comment())
        #expect(reading.reader.tally == relay.reader.tally, comment())
        #expect(reading.reader.isAtFrameBoundary == relay.reader.isAtFrameBoundary, comment())
        #expect(reading.reader.isAtMessageBoundary == relay.reader.isAtMessageBoundary, comment())
    }

    /// An endpoint that does not check text, as a walk does not.
    private struct Reading {
        var reader: FrameReader
        var held: [UInt8] = []
        var passed = 0
        var controls = 0
        var violation: Violation?

        init(_ rules: FrameReader.Rules) { self.reader = FrameReader(rules: rules) }

        mutating func receive(_ piece: some Sequence<UInt8>) {
            guard self.violation == nil else { return }
            let bytes = self.held + piece
            var position = 0
            reading: while true {
                switch self.reader.next(bytes.span, at: &position) {
                case .data(let part): #expect(part.range.upperBound == position)
                case .control: self.controls += 1
                case .violation(let found):
                    self.violation = found
                    break reading
                case .end, .incomplete: break reading
                }
            }
            self.passed += position
            self.held = Array(bytes[position...])
        }
    }

    @Test func `the front ends can take turns on one reader`() {
        var generator = SeededGenerator(seed: 4)
        for _ in 0..<200 {
            let bytes = self.stream(mistakes: false, using: &generator)
            var reader = FrameReader(rules: Self.limits)
            var held: [UInt8] = []
            for piece in self.pieces(of: bytes, using: &generator) {
                let chunk = held + piece
                var position = 0
                if Bool.random(using: &generator) {
                    _ = reader.next(chunk.span, at: &position)
                }
                while true {
                    let walk = reader.walk(chunk.span, from: position)
                    position = walk.end
                    guard case .control(let frame) = walk.stop else { break }
                    position = frame.range.upperBound
                }
                held = Array(chunk[position...])
            }
            #expect(held.isEmpty)
            var whole = Relay(Self.limits)
            whole.receive(bytes)
            #expect(reader.tally == whole.reader.tally)
        }
    }

    @Test func `noise ends in a violation and never traps`() {
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<2000 {
            let noise = (0..<64).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            for rules in [FrameReader.Rules.client, .server, Self.limits] {
                var relay = Relay(rules)
                var listener = Listener(rules)
                relay.receive(noise)
                listener.receive(noise)
                #expect(relay.forwarded.count + relay.held.count <= noise.count)
            }
        }
    }
}
