import Configuration
import Testing
import WebSocketProtocol

@testable import Sessions

/// What the log and the Close say of an exceeded limit: the size, and the key.
@Suite struct LimitWordsTests {
    @Test func `the words for a message that is too big have its size and the key`() {
        func words(_ leg: Leg, _ size: Int?, _ limit: Int) -> String {
            Violation.messageTooBig.words(by: leg, size: size, message: limit, fragments: 0)
        }
        #expect(words(.client, 1025, 1024) == "message of 1025 bytes is over limits.message: 1KiB (1024 bytes)")
        #expect(words(.backend, 11, 10) == "message of 11 bytes is over limits.backend-message: 10 bytes")
        #expect(words(.client, nil, 1 << 20) == "message is over limits.message: 1MiB (1048576 bytes)")
        #expect(words(.client, nil, 0) == "message of 2^63 bytes or more")
    }

    @Test func `the words for too many fragments have the key`() {
        func words(_ leg: Leg) -> String {
            Violation.tooManyFragments.words(by: leg, size: nil, message: 9, fragments: 3)
        }
        #expect(words(.client) == "message has more frames than limits.fragments: 3")
        #expect(words(.backend) == "message has more frames than limits.backend-fragments: 3")
    }

    @Test(arguments: Violation.allCases, [Leg.client, .backend])
    func `all words fit the reason of a Close`(violation: Violation, leg: Leg) {
        let words = violation.words(by: leg, size: .max, message: .max, fragments: .max)
        #expect(!words.isEmpty && words.utf8.count <= CloseFrame.maximumReason)
        #expect(
            violation.kind == .messageTooBig || violation.kind == .tooManyFragments || words == violation.description)
    }

    /// In one frame, in several, and as the rest of what was allowed, in both directions.
    @Test(arguments: [Leg.client, .backend]) func `a relay counts all frames of the message`(leg: Leg) {
        var limits = Limits()
        limits.message = .bytes(10)
        limits.backendMessage = .bytes(10)
        var relay = Relay(limits: limits, allowsCompression: false, checksText: false, nonce: 1)
        let key: MaskingKey? = leg == .client ? MaskingKey(1, 2, 3, 4) : nil
        var bytes: [UInt8] = []
        for (fin, opcode, length) in [(false, Opcode.binary, 8), (true, .continuation, 7)] {
            FrameHeader(fin: fin, rsv1: false, opcode: opcode, payloadLength: length, maskingKey: key).append(
                to: &bytes)
            if !fin { bytes += [UInt8](repeating: 0, count: length) }
        }
        let step = relay.next(bytes.span, from: 0, leg)
        let name = leg == .client ? "message" : "backend-message"
        let words = "message of 15 bytes is over limits.\(name): 10 bytes"
        #expect(step.event == .violation(.messageTooBig, words: words))
    }
}
