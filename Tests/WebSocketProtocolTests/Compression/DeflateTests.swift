import TestSupport
import Testing

@testable import WebSocketProtocol

/// Compresses messages and inflates them again, and inflates hostile ones.
struct DeflateTests {
    private struct Failure: Error, Equatable {
        var violation: Violation
    }

    /// Inflates a message in these fragments, into `room` bytes at a time.
    private static func inflate(
        _ fragments: [[UInt8]], _ inflater: Inflater, room: Int = 4096
    ) throws(Failure) -> [UInt8] {
        var message: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: room)
        for (index, fragment) in fragments.enumerated() {
            var position = 0
            var isDone = false
            while !isDone {
                var output = buffer.mutableSpan
                let isFinal = index == fragments.count - 1
                let count: Int
                switch inflater.inflate(fragment.span, at: &position, isFinal: isFinal, into: &output) {
                case .more(let produced): count = produced
                case .end(let produced): (count, isDone) = (produced, true)
                case .violation(let violation): throw Failure(violation: violation)
                }
                message.append(contentsOf: buffer[..<count])
            }
        }
        return message
    }

    private static func deflated(_ message: [UInt8], _ deflater: Deflater) -> [UInt8] {
        var output: [UInt8] = []
        deflater.append(message.span, to: &output)
        return output
    }

    private static func random(_ count: Int, _ seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    }

    private static func words(_ count: Int, _ seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        let words = ["{\"price\":", "120.5", ",", "\"symbol\":\"", "ACME", "\"}", " grüße ", "0123456789"]
        var text = ""
        while text.utf8.count < count { text += words[Int(generator.next() % UInt64(words.count))] }
        return Array(text.utf8.prefix(count))
    }

    @Test(arguments: [true, false], [1, 100, 40_000])
    func `a message that goes in pieces is one message`(keepsContext: Bool, size: Int) throws {
        let direction = DeflateParameters.Direction(windowBits: 12, keepsContext: keepsContext)
        let deflater = Deflater(direction)
        let inflater = Inflater(direction)
        for message in [Self.words(3000 + size, 1), Self.random(2 * size, 2), []] {
            var fragments: [[UInt8]] = []
            for start in stride(from: 0, to: message.count, by: size) {
                var piece: [UInt8] = []
                let end = min(start + size, message.count)
                deflater.append(message.span.extracting(start..<end), to: &piece, isFinal: false)
                fragments.append(piece)
            }
            // The final fragment may be empty.
            fragments.append(Self.deflated([], deflater))
            #expect(try Self.inflate(fragments, inflater) == message)
        }
    }

    private static let messages: [[UInt8]] =
        [[], [0], Array("Hello".utf8), Array("Hello".utf8), [], []]
        + [63, 64, 255, 256, 257, 1000, 40_000, 300_000].flatMap { [words($0, 1), random($0, UInt64($0))] }
        + [[UInt8](repeating: 7, count: 1_000_000)]

    @Test(arguments: 8...15, [true, false])
    func `messages come back as they were, whatever the window`(windowBits: Int, keepsContext: Bool) throws {
        let direction = DeflateParameters.Direction(windowBits: windowBits, keepsContext: keepsContext)
        let deflater = Deflater(direction)
        let inflater = Inflater(direction)
        for message in Self.messages {
            let payload = Self.deflated(message, deflater)
            #expect(try Self.inflate([payload], inflater) == message)
            #expect(inflater.messageLength == 0)
        }
    }

    @Test func `what is compressed for a window of 8 bits can be read with one`() {
        // Repetitions at every distance around 256. Output is taken a byte at a time, so that zlib has nothing but its window to
        // copy from. It refuses what is too far back.
        var message: [UInt8] = []
        for distance in 200...300 {
            let block = Self.random(distance, UInt64(distance))
            message += block + block + block
        }
        message += Self.words(20_000, 8)
        var payload: [UInt8] = []
        Deflater(.init(windowBits: 8)).append(message.span, to: &payload)
        payload += [0x00, 0x00, 0xFF, 0xFF]
        #expect(Self.inflateStrictly(payload, windowBits: 8) == message)
    }

    @Test func `a window of 8 bits refuses what looks further back`() {
        let block = Self.random(400, 1)
        var payload: [UInt8] = []
        Deflater(.init(windowBits: 10)).append((block + block).span, to: &payload)
        payload += [0x00, 0x00, 0xFF, 0xFF]
        #expect(Self.inflateStrictly(payload, windowBits: 8) == nil)
    }

    private static func inflateStrictly(_ payload: [UInt8], windowBits: Int) -> [UInt8]? {
        let stream = InflateStream(windowBits: windowBits)
        var output: [UInt8] = []
        var position = 0
        while true {
            var byte: [UInt8] = [0]
            var room = byte.mutableSpan
            let result = stream.inflate(payload.span, at: &position, into: &room)
            if result.count == 1 { output.append(byte[0]) }
            switch result.outcome {
            case .corrupt: return nil
            case .ended, .needsInput: return output
            case .needsRoom: break
            }
        }
    }

    @Test(arguments: [1, 2, 7, 4096])
    func `a message may be cut anywhere`(room: Int) throws {
        let message = Self.words(500, 3)
        let direction = DeflateParameters.Direction()
        let payload = Self.deflated(message, Deflater(direction))
        let inflater = Inflater(.init(keepsContext: false))
        for split in 0...payload.count {
            #expect(
                try Self.inflate([Array(payload[..<split]), Array(payload[split...])], inflater, room: room) == message)
        }
        #expect(try Self.inflate(payload.map { [$0] }, inflater, room: room) == message)
        #expect(try Self.inflate(payload.map { [$0] } + [[]], inflater, room: room) == message)
    }

    @Test func `context makes the second message shorter, and no context the same`() {
        let message = Self.words(400, 5)
        let keeping = Deflater(.init())
        let first = Self.deflated(message, keeping)
        #expect(Self.deflated(message, keeping).count < first.count / 4)
        let forgetting = Deflater(.init(keepsContext: false))
        #expect(Self.deflated(message, forgetting) == first)
        #expect(Self.deflated(message, forgetting) == first)
    }

    /// RFC 7692 section 7.2.3.
    @Test func `the examples of the RFC`() throws {
        let hello = Array("Hello".utf8)
        let plain: [UInt8] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]
        let inflater = Inflater(.init())
        #expect(try Self.inflate([plain], inflater) == hello)
        #expect(try Self.inflate([[0xF2, 0x00, 0x11, 0x00, 0x00]], inflater) == hello)
        #expect(try Self.inflate([Array(plain[..<3]), Array(plain[3...])], inflater) == hello)
        let stored: [UInt8] = [0x00, 0x05, 0x00, 0xFA, 0xFF] + hello + [0x00]
        #expect(try Self.inflate([stored], inflater) == hello)
        // A block marked as the last, and one after it. The next message refers to the output before.
        #expect(try Self.inflate([[0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00]], inflater) == hello)
        #expect(try Self.inflate([[0xF2, 0x00, 0x11, 0x00, 0x00]], inflater) == hello)
        // Two blocks in one message.
        let two: [UInt8] = [0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00]
        #expect(try Self.inflate([two], inflater) == hello)
        #expect(try Self.inflate([[0x00]], inflater) == [])
    }

    @Test func `a last block without another, and no byte at all, are forgiven`() throws {
        let inflater = Inflater(.init())
        #expect(try Self.inflate([[0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]], inflater) == Array("Hello".utf8))
        #expect(try Self.inflate([[]], inflater) == [])
        #expect(try Self.inflate([[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]], inflater) == Array("Hello".utf8))
    }

    @Test func `without context a message cannot refer to the one before`() throws {
        let inflater = Inflater(.init(keepsContext: false))
        _ = try Self.inflate([[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]], inflater)
        #expect(throws: Failure(violation: .invalidCompressedData)) {
            try Self.inflate([[0xF2, 0x00, 0x11, 0x00, 0x00]], inflater)
        }
    }

    @Test(
        arguments: [
            [0xFF], [0x06, 0x00], [0x00, 0x05, 0x00, 0xFF, 0xFF, 0x48], [0xF2, 0x48, 0xCD], [0x01], [0x00, 0x05],
            [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07], [0x05, 0xE0, 0x81],
            // Half of the tail ends a last block, and its output does not fit.
            [0x9B, 0x30, 0x0A],
        ] as [[UInt8]])
    func `what is no compressed message is refused`(payload: [UInt8]) {
        for room in [1, 4096] {
            #expect(throws: Failure(violation: .invalidCompressedData)) {
                try Self.inflate([payload], Inflater(.init()), room: room)
            }
        }
        #expect(throws: Failure(violation: .invalidCompressedData)) {
            try Self.inflate(payload.map { [$0] }, Inflater(.init()), room: 1)
        }
    }

    @Test func `garbage ends in a message or a violation`() {
        for seed in 0..<2000 {
            let payload = Self.random(Int(seed % 97) + 1, UInt64(seed))
            _ = try? Self.inflate([payload], Inflater(.init(), maximumMessage: 100_000))
        }
    }

    @Test func `the limit is inclusive, and holds while inflating`() throws {
        let direction = DeflateParameters.Direction()
        let payload = Self.deflated([UInt8](repeating: 0, count: 10_000), Deflater(direction))
        #expect(try Self.inflate([payload], Inflater(direction, maximumMessage: 10_000)).count == 10_000)
        #expect(throws: Failure(violation: .messageTooBig)) {
            try Self.inflate([payload], Inflater(direction, maximumMessage: 9_999))
        }
    }

    @Test func `a thousand times the input is refused at the limit`() {
        let direction = DeflateParameters.Direction()
        let deflater = Deflater(direction)
        var payload: [UInt8] = []
        let zeros = [UInt8](repeating: 0, count: 16 << 20)
        for _ in 0..<4 {
            deflater.append(zeros.span, to: &payload)
            payload += [0x00, 0x00, 0xFF, 0xFF]
        }
        // 64 MiB in 64 KiB: what follows is never read.
        let inflater = Inflater(direction, maximumMessage: 1 << 20)
        var buffer = [UInt8](repeating: 0, count: 4096)
        var position = 0
        var calls = 0
        while true {
            var output = buffer.mutableSpan
            calls += 1
            let result = inflater.inflate(payload.span, at: &position, isFinal: false, into: &output)
            guard case .more(let count) = result else {
                #expect(result == .violation(.messageTooBig))
                break
            }
            #expect(count <= 4096)
        }
        #expect(calls == 257)
        #expect(position < 4096)
    }
}
