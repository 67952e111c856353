/// Reads the frames of one direction of a connection. Every header is checked against RFC 6455 and our limits before any
/// byte of its frame goes on. The reader holds no bytes and allocates nothing.
///
/// It has two front ends over the same state. `walk` is for a relay, which forwards the bytes as they are. `next` is for
/// an endpoint, which needs the payload. Both stop at whole control frames. After a violation the reader stays at the
/// frame that broke the rule, and reports it again when it is asked again.
public struct FrameReader: Sendable {
    /// What the sender may do. Limits are inclusive; 0 is no limit.
    public struct Rules: Hashable, Sendable {
        /// True for a client's frames, false for a server's (RFC 6455 section 5.1).
        public var expectsMask: Bool
        /// Whether RSV1 may be set on the first frame of a data message (RFC 7692 section 6).
        public var allowsCompression: Bool
        /// The most payload bytes in a message, as on the wire.
        public var maximumMessage: Int
        /// The most frames in a message. Empty ones count.
        public var maximumFragments: Int

        /// By default without limits and without compression.
        public init(
            expectsMask: Bool, allowsCompression: Bool = false, maximumMessage: Int = 0, maximumFragments: Int = 0
        ) {
            self.expectsMask = expectsMask
            self.allowsCompression = allowsCompression
            self.maximumMessage = maximumMessage
            self.maximumFragments = maximumFragments
        }
    }

    /// They may change between two calls.
    public var rules: Rules
    /// What has passed so far.
    public private(set) var tally = MessageTally()

    // Every session has one or two readers. In this order the small fields share their padding.
    /// The kind of the message in progress; `nil` between messages.
    private var messageOpcode: Opcode?
    private var isCompressed = false
    /// Of the data frame in progress, or the last one.
    private var fin = true
    /// How many headers were read one by one; it wraps. Those of `skipWholeMessages` are not counted.
    public private(set) var headersRead: UInt32 = 0
    /// Payload bytes that the headers of this message have declared so far.
    private var messageLength = 0
    /// Frames of this message so far.
    private var fragments = 0
    /// Of the data frame in progress, or the last one.
    private var maskingKey: MaskingKey?
    private var frameLength = 0
    /// Payload bytes of the data frame in progress that are still to come.
    private var remaining = 0

    /// A reader at the first byte after the opening handshake.
    public init(rules: Rules) {
        self.rules = rules
    }

    /// Whether the next byte begins a frame. Only here can another frame be inserted.
    public var isAtFrameBoundary: Bool { self.remaining == 0 }

    /// How many bytes of the frame in progress are still to come.
    public var remainingInFrame: Int { self.remaining }

    /// What a message is.
    public struct MessageKind: Hashable, Sendable {
        /// Text or binary.
        public var opcode: Opcode
        /// It was sent with RSV1 set (RFC 7692 section 6).
        public var isCompressed: Bool

        /// See the properties.
        public init(opcode: Opcode, isCompressed: Bool) {
            self.opcode = opcode
            self.isCompressed = isCompressed
        }
    }

    /// The message in progress; `nil` between messages.
    public var message: MessageKind? {
        self.messageOpcode.map { MessageKind(opcode: $0, isCompressed: self.isCompressed) }
    }

    /// Whether the next data frame begins a new message.
    public var isAtMessageBoundary: Bool { self.messageOpcode == nil }

    /// The length of the message in progress as its headers declare it, the frame at `position` included. For a frame that
    /// was refused.
    ///
    /// - Returns: bytes of payload; `nil` if the header is not whole, or the sum overflows.
    public func messageLength(with bytes: Span<UInt8>, at position: Int) -> Int? {
        guard case .header(let header, _) = FrameHeader.parse(bytes, at: position) else { return nil }
        let (length, overflow) = self.messageLength.addingReportingOverflow(header.payloadLength)
        return overflow ? nil : length
    }
}

// MARK: - Relay

extension FrameReader {
    /// How far a walk got, and why it stopped there.
    public struct Walk: Hashable, Sendable {
        /// Everything from the start to here is data frames with checked headers, to be forwarded as it is.
        public var end: Int
        /// What is at `end`.
        public var stop: Stop

        /// `end` is an index of the walked bytes.
        public init(end: Int, stop: Stop) {
            self.end = end
            self.stop = stop
        }
    }

    /// Why a walk stopped.
    public enum Stop: Hashable, Sendable {
        /// All bytes were walked.
        case end
        /// The rest begins a header or a control frame: fewer than 131 bytes, to be given again in front of the next ones.
        case incomplete
        /// A whole control frame begins at `end`. The walk goes on at its `range.upperBound`.
        case control(ControlFrame)
        /// The frame at `end` breaks a rule. Nothing of it may go on.
        case violation(Violation)
    }

    /// Walks over data frames from `start` on, up to the end of `bytes` or to the first thing that needs a decision.
    public mutating func walk(_ bytes: Span<UInt8>, from start: Int) -> Walk {
        var position = start
        if self.remaining > 0 { position += self.take(upTo: bytes.count - position) }
        while true {
            if self.isAtMessageBoundary { position += self.skipWholeMessages(bytes, from: position) }
            guard position < bytes.count else { return Walk(end: position, stop: .end) }
            switch self.readHeader(bytes, at: position) {
            case .data(let headerLength):
                position += headerLength
                position += self.take(upTo: bytes.count - position)
            case .incomplete: return Walk(end: position, stop: .incomplete)
            case .control(let frame): return Walk(end: position, stop: .control(frame))
            case .violation(let violation): return Walk(end: position, stop: .violation(violation))
            }
        }
    }

    /// Passes over messages of one frame that are here in full, as most are. Only their totals have to be kept. Every other
    /// frame, and every frame with a fault, is left to `readHeader`.
    ///
    /// - Returns: how many bytes these messages have.
    private mutating func skipWholeMessages(_ bytes: Span<UInt8>, from start: Int) -> Int {
        let reserved: UInt8 = self.rules.allowsCompression ? 0x40 : 0
        let mask: UInt8 = self.rules.expectsMask ? 0x80 : 0
        let keyLength = self.rules.expectsMask ? 4 : 0
        let longest = self.rules.maximumMessage == 0 ? 0xFFFF : min(self.rules.maximumMessage, 0xFFFF)
        var position = start
        while bytes.count - position >= 4 {
            let opcode = bytes[position] & ~reserved ^ 0x80
            guard opcode == Opcode.text.rawValue || opcode == Opcode.binary.rawValue else { break }
            // With the mask bit as expected, this is the 7-bit length. Otherwise it is above 127.
            var length = Int(bytes[position + 1] ^ mask)
            var payload = position + 2 + keyLength
            if length == 126 {
                length = Int(bytes[position + 2]) << 8 | Int(bytes[position + 3])
                payload += 2
                guard length > 125 else { break }
            } else if length > 125 {
                break
            }
            guard length <= longest, bytes.count - payload >= length else { break }
            if opcode == Opcode.text.rawValue { self.tally.text &+= 1 } else { self.tally.binary &+= 1 }
            self.tally.payloadBytes &+= UInt64(truncatingIfNeeded: length)
            position = payload + length
        }
        return position - start
    }
}

// MARK: - Endpoint

extension FrameReader {
    /// A piece of a message's payload.
    public struct DataPart: Hashable, Sendable {
        /// Text or binary: that of the message, also in its continuation frames.
        public var messageOpcode: Opcode
        /// Where the piece is, still masked. Empty for an empty frame.
        public var range: Range<Int>
        /// The key for this piece. Its first byte belongs to the byte at `range.lowerBound`.
        public var maskingKey: MaskingKey?
        /// The first piece of the message.
        public var isFirst: Bool
        /// The last piece of the message.
        public var isFinal: Bool
        /// The message was sent with RSV1 set (RFC 7692 section 6).
        public var isCompressed: Bool

        /// `range` is one of the bytes that were read.
        public init(
            messageOpcode: Opcode, range: Range<Int>, maskingKey: MaskingKey?, isFirst: Bool, isFinal: Bool,
            isCompressed: Bool
        ) {
            self.messageOpcode = messageOpcode
            self.range = range
            self.maskingKey = maskingKey
            self.isFirst = isFirst
            self.isFinal = isFinal
            self.isCompressed = isCompressed
        }
    }

    /// The result of `next`.
    public enum Event: Hashable, Sendable {
        /// All bytes were read.
        case end
        /// The rest begins a header or a control frame: fewer than 131 bytes, to be given again in front of the next ones.
        case incomplete
        /// A piece of a message, as much as the bytes have of its frame.
        case data(DataPart)
        /// A whole control frame. It may stand within a message.
        case control(ControlFrame)
        /// The frame at the position breaks a rule. Nothing of it may go on.
        case violation(Violation)
    }

    /// Reads the next event at `position` and moves it on. `.incomplete` and `.violation` do not move it.
    public mutating func next(_ bytes: Span<UInt8>, at position: inout Int) -> Event {
        if self.remaining == 0 {
            guard position < bytes.count else { return .end }
            switch self.readHeader(bytes, at: position) {
            case .data(let headerLength): position += headerLength
            case .incomplete: return .incomplete
            case .violation(let violation): return .violation(violation)
            case .control(let frame):
                position = frame.range.upperBound
                return .control(frame)
            }
        }
        // An empty frame is a part, too: it may end its message.
        guard position < bytes.count || self.remaining == 0 else { return .end }
        return .data(self.takePart(bytes, at: &position))
    }

    private mutating func takePart(_ bytes: Span<UInt8>, at position: inout Int) -> DataPart {
        let start = position
        let offset = self.frameLength - self.remaining
        var part = DataPart(
            messageOpcode: self.messageOpcode ?? .binary, range: start..<start,
            maskingKey: self.maskingKey?.rotated(by: offset), isFirst: self.fragments == 1 && offset == 0,
            isFinal: false, isCompressed: self.isCompressed)
        position += self.take(upTo: bytes.count - start)
        part.range = start..<position
        part.isFinal = self.fin && self.remaining == 0
        return part
    }
}

// MARK: - Shared by both front ends

extension FrameReader {
    /// What begins at a frame boundary.
    private enum Head {
        case incomplete
        /// The header of a data frame, which is now in progress.
        case data(headerLength: Int)
        case control(ControlFrame)
        case violation(Violation)
    }

    private mutating func readHeader(_ bytes: Span<UInt8>, at position: Int) -> Head {
        self.headersRead &+= 1
        switch FrameHeader.parse(bytes, at: position) {
        case .incomplete: return .incomplete
        case .invalid(let violation): return .violation(violation)
        case .header(let header, let length):
            guard (header.maskingKey != nil) == self.rules.expectsMask else {
                return .violation(self.rules.expectsMask ? .unmaskedFrame : .maskedFrame)
            }
            guard !header.opcode.isControl else {
                return self.readControlFrame(header, in: bytes, from: position, payload: position + length)
            }
            if let violation = self.begin(header) { return .violation(violation) }
            return .data(headerLength: length)
        }
    }

    private func readControlFrame(
        _ header: FrameHeader, in bytes: Span<UInt8>, from start: Int, payload: Int
    ) -> Head {
        guard !header.rsv1 else { return .violation(.reservedBits) }
        guard bytes.count - payload >= header.payloadLength else { return .incomplete }
        let end = payload + header.payloadLength
        if header.opcode == .close {
            let violation = CloseFrame.violation(
                in: bytes.extracting(payload..<end), maskingKey: header.maskingKey)
            if let violation { return .violation(violation) }
        }
        return .control(
            ControlFrame(
                opcode: header.opcode, range: start..<end, payloadRange: payload..<end, maskingKey: header.maskingKey))
    }

    /// Begins the data frame with this header. If it breaks a rule, nothing changes.
    private mutating func begin(_ header: FrameHeader) -> Violation? {
        let continues = header.opcode == .continuation
        guard continues == (self.messageOpcode != nil) else {
            return continues ? .unexpectedContinuation : .expectedContinuation
        }
        guard !header.rsv1 || (self.rules.allowsCompression && !continues) else { return .reservedBits }
        let (length, overflow) = self.messageLength.addingReportingOverflow(header.payloadLength)
        guard !overflow && (self.rules.maximumMessage == 0 || length <= self.rules.maximumMessage) else {
            return .messageTooBig
        }
        guard self.rules.maximumFragments == 0 || self.fragments < self.rules.maximumFragments else {
            return .tooManyFragments
        }
        if !continues {
            self.messageOpcode = header.opcode
            self.isCompressed = header.rsv1
        }
        self.messageLength = length
        self.fragments += 1
        self.fin = header.fin
        self.maskingKey = header.maskingKey
        self.frameLength = header.payloadLength
        self.remaining = header.payloadLength
        return nil
    }

    /// Takes payload of the data frame in progress, up to `available` bytes. Its last byte ends the frame, and the message if
    /// it is the final one.
    private mutating func take(upTo available: Int) -> Int {
        let count = min(self.remaining, available)
        self.remaining -= count
        self.tally.payloadBytes &+= UInt64(truncatingIfNeeded: count)
        if self.remaining == 0 && self.fin { self.endMessage() }
        return count
    }

    private mutating func endMessage() {
        if self.messageOpcode == .text {
            self.tally.text &+= 1
        } else {
            self.tally.binary &+= 1
        }
        self.messageOpcode = nil
        self.messageLength = 0
        self.fragments = 0
    }
}

/// Counts what has passed in one direction of a session.
public struct MessageTally: Hashable, Sendable {
    /// Complete text messages.
    public var text: UInt64 = 0
    /// Complete binary messages.
    public var binary: UInt64 = 0
    /// Payload bytes of data frames, those of incomplete messages included.
    public var payloadBytes: UInt64 = 0

    /// Nothing has passed yet.
    public init() {}

    /// Complete messages of both kinds.
    public var messages: UInt64 { self.text + self.binary }
}
