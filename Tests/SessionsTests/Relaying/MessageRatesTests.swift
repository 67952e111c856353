import Configuration
import System
import Testing
import WebSocketProtocol

@testable import Sessions

@Suite struct MessageRatesTests {
    private func limits(messages: Int? = nil, bytes: Int? = nil) -> Limits {
        var limits = Limits()
        limits.messagesPerSecond = messages
        limits.bytesPerSecond = bytes.map { .bytes($0) }
        return limits
    }

    private func frame(_ opcode: Opcode, _ count: Int, fin: Bool = true) -> [UInt8] {
        var bytes: [UInt8] = []
        FrameHeader(fin: fin, rsv1: false, opcode: opcode, payloadLength: count, maskingKey: MaskingKey.random)
            .append(to: &bytes)
        return bytes + [UInt8](repeating: 7, count: count)
    }

    private func instant(_ milliseconds: Int64) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: milliseconds * 1_000_000)
    }

    /// Walks over all of it at one time.
    private func walk(_ rates: inout MessageRates, _ bytes: [UInt8], at time: Int64 = 0) -> MessageRates.Walk {
        rates.walk(bytes.span, from: 0, at: self.instant(time))
    }

    @Test func `messages beyond the bucket wait`() {
        var rates = MessageRates(self.limits(messages: 4))
        let one = self.frame(.text, 10)
        let all = (0..<6).flatMap { _ in one }
        #expect(
            self.walk(&rates, all)
                == .init(end: 4 * one.count, stop: .over(.messagesPerSecond, until: self.instant(250))))
        let rest = Array(all[(4 * one.count)...])
        #expect(self.walk(&rates, rest, at: 249).end == 0)
        #expect(
            self.walk(&rates, rest, at: 250)
                == .init(end: one.count, stop: .over(.messagesPerSecond, until: self.instant(500))))
        #expect(self.walk(&rates, one, at: 500) == .init(end: one.count, stop: .end))
    }

    @Test func `bytes are those of payload, and the longer wait counts`() {
        var rates = MessageRates(self.limits(messages: 100, bytes: 1000))
        let one = self.frame(.binary, 400)
        let all = one + one + one
        #expect(
            self.walk(&rates, all)
                == .init(end: 2 * one.count, stop: .over(.bytesPerSecond, until: self.instant(200))))
    }

    @Test func `a message larger than the bucket passes when that is full`() {
        var rates = MessageRates(self.limits(bytes: 1000))
        let large = self.frame(.binary, 3000)
        let small = self.frame(.binary, 1)
        #expect(
            self.walk(&rates, large + small)
                == .init(end: large.count, stop: .over(.bytesPerSecond, until: self.instant(2001))))
        #expect(self.walk(&rates, small, at: 2001).stop == .end)
        #expect(self.walk(&rates, large, at: 2001).stop == .over(.bytesPerSecond, until: self.instant(3001)))
    }

    @Test func `control frames do not count, also inside of a message`() {
        var rates = MessageRates(self.limits(messages: 1, bytes: 10))
        let pings = (0..<50).flatMap { _ in self.frame(.ping, 125) }
        let all = self.frame(.text, 4, fin: false) + pings + self.frame(.continuation, 6) + pings
        #expect(self.walk(&rates, all) == .init(end: all.count, stop: .end))
    }

    @Test func `the frames of a message are one message, and each waits for its bytes`() {
        var rates = MessageRates(self.limits(messages: 1, bytes: 10))
        let (first, next) = (self.frame(.text, 8, fin: false), self.frame(.continuation, 8))
        #expect(
            self.walk(&rates, first + next)
                == .init(end: first.count, stop: .over(.bytesPerSecond, until: self.instant(600))))
        #expect(self.walk(&rates, next, at: 600) == .init(end: next.count, stop: .end))
    }

    @Test func `frames in pieces are counted once, wherever they are cut`() {
        let frames = [
            self.frame(.text, 5), self.frame(.binary, 200), self.frame(.ping, 3), self.frame(.text, 0),
            self.frame(.binary, 70_000),
        ]
        let all = frames.flatMap { $0 }
        for size in [1, 2, 3, 5, 13, 14, 15, 64, 1000] {
            var rates = MessageRates(self.limits(messages: 4, bytes: 100_000))
            var held: [UInt8] = []
            var passed = 0
            for start in stride(from: 0, to: all.count, by: size) {
                let bytes = held + all[start..<min(start + size, all.count)]
                let walk = self.walk(&rates, bytes)
                #expect(walk.stop == .end || walk.stop == .incomplete)
                held = Array(bytes[walk.end...])
                #expect(held.count < 14)
                passed += walk.end
            }
            #expect(passed == all.count)
            // Four messages were taken, and no fifth one.
            #expect(self.walk(&rates, frames[3]).stop == .over(.messagesPerSecond, until: self.instant(250)))
        }
    }

    @Test func `what is no frame goes on, for others to judge`() {
        var rates = MessageRates(self.limits(messages: 1))
        let bad: [UInt8] = [0xF1, 0x80] + [UInt8](repeating: 0, count: 100)
        let all = self.frame(.text, 1) + bad
        #expect(self.walk(&rates, all) == .init(end: all.count, stop: .end))
        #expect(self.walk(&rates, bad) == .init(end: bad.count, stop: .end))
    }

    @Test func `it can begin in the middle of a frame`() {
        var rates = MessageRates(self.limits(messages: 1), remaining: 7)
        let one = self.frame(.text, 3)
        let all = [UInt8](repeating: 0xFF, count: 7) + one + one
        #expect(
            self.walk(&rates, all)
                == .init(end: 7 + one.count, stop: .over(.messagesPerSecond, until: self.instant(1000))))
    }

    @Test func `other limits hold from then on`() {
        var rates = MessageRates(self.limits(messages: 2))
        let one = self.frame(.text, 1)
        #expect(self.walk(&rates, one + one + one).stop == .over(.messagesPerSecond, until: self.instant(500)))
        rates.follow(self.limits(messages: 20), at: self.instant(0))
        let all = (0..<19).flatMap { _ in one }
        #expect(
            self.walk(&rates, all)
                == .init(end: 18 * one.count, stop: .over(.messagesPerSecond, until: self.instant(50))))
        rates.follow(self.limits(), at: self.instant(0))
        #expect(self.walk(&rates, all).stop == .end)
    }

    /// In no time may more pass than the bucket and what flowed in.
    @Test func `no burst is larger than the bucket`() {
        var rates = MessageRates(self.limits(messages: 10))
        let one = self.frame(.text, 2)
        var times: [Int64] = []
        for time in stride(from: Int64(0), to: 5000, by: 7) where time % 1000 > 300 || time < 50 {
            while self.walk(&rates, one, at: time).stop == .end { times.append(time) }
        }
        for (index, start) in times.enumerated() {
            for (other, end) in times.enumerated().dropFirst(index) {
                #expect(Double(other - index + 1) <= 10 + 10 * Double(end - start) / 1000 + 1e-6)
            }
        }
        #expect(times.count >= 55)
    }
}
