import Sessions
import Synchronization
import Testing
import WebSocketProtocol

@testable import DataPlane

/// What one tail sees of one session.
@Suite struct SessionTailTests {
    private static let key = MaskingKey(1, 2, 3, 4)

    /// A tail, and what it has said.
    private final class Watch: Sendable {
        let id = SessionID.random()
        let memory: MemoryBound
        private let said = Mutex<[Tail.News]>([])

        init(limit: Int = .max) { self.memory = MemoryBound(limit: limit) }

        func tail(showsPayloads: Bool = true) -> Tail {
            Tail(.session(self.id), showsPayloads: showsPayloads, self.memory, memoryRose: {}) { [self] _, news in
                self.said.withLock { $0 += news }
            }
        }

        var news: [Tail.News] { self.said.withLock { $0 } }

        var frames: [TailedFrame] {
            self.news.compactMap { if case .frame(let frame) = $0 { frame } else { nil } }
        }
    }

    private static func follow(
        _ watch: Watch, showsPayloads: Bool = true, inflates: Bool = false, remaining: Int = 0,
        message: FrameReader.MessageKind? = nil
    ) -> SessionTail {
        let tail = SessionTail(watch.tail(showsPayloads: showsPayloads), of: watch.id, inflates: inflates)
        for leg in [Leg.client, .backend] {
            tail.follow(leg, at: FramePlace(remaining: remaining, held: [], message: message))
        }
        return tail
    }

    @Test func `frames of both legs are shown, each with its direction`() {
        let watch = Watch()
        let tail = Self.follow(watch)
        tail.received(Frame.text("up", maskingKey: Self.key).span, from: .client, showsData: true)
        tail.received(Frame.binary([1, 2]).span, from: .backend, showsData: true)
        tail.report()
        #expect(watch.frames.map(\.direction) == [.toBackend, .toClient])
        #expect(watch.frames.map(\.payload) == [Array("up".utf8), [1, 2]])
        #expect(watch.frames.map(\.isBinary) == [false, true])
        #expect(watch.frames.allSatisfy { $0.session == watch.id && !$0.isCut && $0.fin })
    }

    @Test func `without payloads only what frames there are is shown`() {
        let watch = Watch()
        let tail = Self.follow(watch, showsPayloads: false)
        tail.received(Frame.text("secret", maskingKey: Self.key).span, from: .client, showsData: true)
        tail.report()
        #expect(watch.frames.map(\.payload) == [nil])
        #expect(watch.frames.map(\.size) == [6])
        #expect(watch.frames.map(\.isCut) == [false])
    }

    @Test func `of a Close its code is shown without payloads, however it comes`() {
        let watch = Watch()
        let tail = Self.follow(watch, showsPayloads: false)
        for byte in Frame.close(CloseCode(rawValue: 1008), reason: "secret", maskingKey: Self.key) {
            tail.received([byte].span, from: .client, showsData: true)
        }
        tail.report()
        #expect(watch.frames.map(\.payload) == [[0x03, 0xF0]])
        #expect(watch.frames.map(\.size) == [8])
        #expect(watch.frames.map(\.isCut) == [false])
    }

    @Test func `what the gateway sends of its own is marked, and messages of its services are not`() {
        let watch = Watch()
        let tail = Self.follow(watch)
        tail.sent((Frame.ping([]) + Frame.text("hello") + Frame.close(.normal)).span, to: .client)
        tail.received(Frame.ping([], maskingKey: Self.key).span, from: .client, showsData: true)
        tail.report()
        #expect(watch.frames.map(\.isGateways) == [true, false, true, false])
    }

    @Test func `of a long frame the beginning is shown, however it comes`() {
        let watch = Watch()
        let tail = Self.follow(watch)
        let payload = (0..<100 << 10).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let frame = Frame.binary(payload, maskingKey: Self.key)
        for start in stride(from: 0, to: frame.count, by: 30_001) {
            let piece = Array(frame[start..<min(start + 30_001, frame.count)])
            tail.received(piece.span, from: .client, showsData: true)
        }
        tail.report()
        #expect(watch.frames.map(\.size) == [100 << 10])
        #expect(watch.frames.map(\.isCut) == [true])
        #expect(watch.frames.first?.payload == Array(payload[..<(64 << 10)]))
    }

    @Test func `a message that was in progress says what its rest is`() {
        let watch = Watch()
        let rest = Frame.encoded(.continuation, payload: [7].span, rsv1: false, maskingKey: Self.key)
        let tail = Self.follow(watch, remaining: 3, message: .init(opcode: .binary, isCompressed: true))
        tail.received(([0, 0, 0] + rest).span, from: .client, showsData: true)
        tail.received(Frame.text("next", maskingKey: Self.key).span, from: .client, showsData: true)
        tail.report()
        #expect(watch.frames.map(\.opcode) == [.continuation, .text])
        #expect(watch.frames.map(\.isCompressed) == [true, false])
        #expect(watch.frames.map(\.isBinary) == [true, false])
    }

    @Test func `a message that ends at the gateway is shown inflated, as one frame`() {
        let watch = Watch()
        let tail = Self.follow(watch, inflates: true)
        let compressed = Frame.encoded(.text, payload: [1, 2, 3].span, fin: false, rsv1: true, maskingKey: Self.key)
        tail.received(compressed.span, from: .client, showsData: true)
        for (piece, isFirst, isFinal) in [("hel", true, false), ("lo", false, true)] {
            let bytes = Array(piece.utf8)
            tail.inflated(
                .init(
                    messageOpcode: .text, range: 0..<bytes.count, maskingKey: nil, isFirst: isFirst, isFinal: isFinal,
                    isCompressed: false), in: bytes.span)
        }
        tail.report()
        #expect(watch.frames.map(\.payload) == [Array("hello".utf8)])
        #expect(watch.frames.map(\.size) == [5])
        #expect(watch.frames.map(\.fin) == [true])
    }

    @Test func `a leg that is not relayed any more shows its Close only`() {
        let watch = Watch()
        let tail = Self.follow(watch)
        let bytes = Frame.text("late", maskingKey: Self.key) + Frame.close(.normal, maskingKey: Self.key)
        tail.received(bytes.span, from: .client, showsData: false)
        tail.report()
        #expect(watch.frames.map(\.opcode) == [.close])
    }

    @Test func `what does not fit is counted, and told before the next frame`() {
        let watch = Watch()
        let tail = Self.follow(watch)
        let frame = Frame.binary([UInt8](repeating: 0, count: 60 << 10), maskingKey: Self.key)
        let most = Tail.mostWaiting / (60 << 10)
        for _ in 0..<(most + 30) { tail.received(frame.span, from: .client, showsData: true) }
        tail.report()
        let shown = watch.frames.count
        #expect(shown <= most && shown > most - 3)
        for frame in watch.frames { tail.tail.release(frame.footprint) }
        #expect(watch.memory.inMailboxes == 0)
        tail.received(frame.span, from: .client, showsData: true)
        tail.report()
        #expect(watch.news[shown] == .skipped(most + 30 - shown))
        #expect(watch.frames.count == shown + 1)
    }

    @Test func `a frame in progress gives its memory back when the tail ends`() {
        let watch = Watch()
        let tail = Self.follow(watch)
        let frame = Frame.binary([UInt8](repeating: 0, count: 60 << 10), maskingKey: Self.key)
        tail.received(frame.span.extracting(0..<50_000), from: .client, showsData: true)
        #expect(watch.memory.inMailboxes > 49_000)
        tail.end(isSession: false)
        #expect(watch.memory.inMailboxes == 0)
        #expect(watch.news == [])
    }

    @Test func `while memory is scarce nothing is kept`() {
        let watch = Watch(limit: 1000)
        watch.memory.add(900)
        let tail = Self.follow(watch)
        tail.received(Frame.text("a", maskingKey: Self.key).span, from: .client, showsData: true)
        tail.report()
        #expect(watch.news == [])
        #expect(tail.tail.takeSkipped() == 1)
    }

    @Test func `the end of the session is told`() {
        let watch = Watch()
        let tail = Self.follow(watch)
        tail.received(Frame.text("last", maskingKey: Self.key).span, from: .client, showsData: true)
        tail.end(isSession: true)
        #expect(watch.frames.count == 1)
        #expect(watch.news.last == .ended)
    }
}
