internal import Balancing
public import Configuration
public import System
internal import WebSocketProtocol

/// What a client's messages take of `limits.messages-per-second` and `limits.bytes-per-second`, and so how far its bytes may go on.
///
/// It walks from header to header, before anything else reads the frames. A frame is taken as a whole when its header is here: its payload
/// from the bytes, and the first frame of a message from the messages. Control frames take nothing.
public struct MessageRates: Sendable {
    /// How far bytes may go on, and why no further.
    public struct Walk: Equatable, Sendable {
        /// The bytes before this may go on.
        public var end: Int
        /// What is at `end`.
        public var stop: Stop
    }

    /// Why a walk stopped.
    public enum Stop: Equatable, Sendable {
        /// All bytes were walked.
        case end
        /// The rest begins a header: fewer than 14 bytes, to be given again in front of the next ones.
        case incomplete
        /// The frame at `end` is beyond this limit until then.
        case over(ReachedLimit.Key, until: MonotonicInstant)
    }

    private var settings: Limits
    private var messages = RateBucket()
    private var bytes = RateBucket()
    /// Bytes of the frame in progress that are still to come.
    private var remaining: Int
    /// A header is no header. What reads the frames will say so.
    private var isBroken = false

    /// Full buckets.
    ///
    /// - Parameters:
    ///   - settings: the route's limits.
    ///   - remaining: how many bytes of a frame in progress are still to come.
    public init(_ settings: Limits, remaining: Int = 0) {
        self.settings = settings
        self.remaining = remaining
    }

    /// What becomes of what is beyond a limit.
    public var overRate: OverRate { self.settings.overRate }

    /// Other limits hold from now on.
    public mutating func follow(_ settings: Limits, at now: MonotonicInstant) {
        guard settings != self.settings else { return }
        if let old = self.settings.messagesPerSecond, let new = settings.messagesPerSecond {
            self.messages.change(from: Double(old), to: Double(new), at: now.nanoseconds)
        }
        if let old = self.settings.bytesPerSecond, let new = settings.bytesPerSecond {
            self.bytes.change(from: Double(old.rawValue), to: Double(new.rawValue), at: now.nanoseconds)
        }
        self.settings = settings
    }

    /// Walks from `start` to the end of `bytes`, or to the first frame that has to wait, and takes what may go on from the buckets.
    public mutating func walk(_ bytes: Span<UInt8>, from start: Int, at now: MonotonicInstant) -> Walk {
        var position = start
        while true {
            let payload = min(self.remaining, bytes.count - position)
            position += payload
            self.remaining -= payload
            guard position < bytes.count else { return Walk(end: position, stop: .end) }
            guard !self.isBroken else { return Walk(end: bytes.count, stop: .end) }
            switch FrameHeader.parse(bytes, at: position) {
            case .incomplete: return Walk(end: position, stop: .incomplete)
            case .invalid: self.isBroken = true
            case .header(let header, let length):
                if !header.opcode.isControl, let stop = self.take(header, at: now) {
                    return Walk(end: position, stop: stop)
                }
                position += length
                self.remaining = header.payloadLength
            }
        }
    }

    /// Takes what a data frame needs.
    ///
    /// - Returns: the limit that it is beyond; then nothing is taken.
    private mutating func take(_ header: FrameHeader, at now: MonotonicInstant) -> Stop? {
        let count = header.opcode == .continuation ? 0 : 1
        let messages = self.settings.messagesPerSecond.map { (bucket: self.messages, amount: count, rate: Double($0)) }
        let bytes = self.settings.bytesPerSecond.map {
            (bucket: self.bytes, amount: header.payloadLength, rate: Double($0.rawValue))
        }
        let waits = (
            messages: messages.map { $0.bucket.wait(for: $0.amount, at: now.nanoseconds, rate: $0.rate) } ?? 0,
            bytes: bytes.map { $0.bucket.wait(for: $0.amount, at: now.nanoseconds, rate: $0.rate) } ?? 0
        )
        let wait = max(waits.messages, waits.bytes)
        guard wait == 0 else {
            return .over(waits.messages == wait ? .messagesPerSecond : .bytesPerSecond, until: now + .nanoseconds(wait))
        }
        if let messages { self.messages.take(messages.amount, at: now.nanoseconds, rate: messages.rate) }
        if let bytes { self.bytes.take(bytes.amount, at: now.nanoseconds, rate: bytes.rate) }
        return nil
    }
}

extension Limits {
    /// Whether they limit how fast the client of a session may send.
    public var hasRates: Bool { self.messagesPerSecond != nil || self.bytesPerSecond != nil }
}
