/// Reads the frames of one direction of a connection and checks every header against RFC 6455 and our limits, before any
/// byte of its frame is let through. It holds no bytes and allocates nothing.
///
/// It has two front ends over the same state: `walk` for a relay, which forwards the bytes as they are, and `next` for
/// an endpoint, which wants the payload. Both stop at whole control frames. After a violation the reader is at the frame
/// that broke the rule, and reports it again if asked again.
package struct FrameReader: Sendable {
    package var rules: Rules
    package private(set) var tally = MessageTally()

    // In this order, because every session has one or two of these and small things side by side take less room.
    /// The kind of the message in progress; nil between messages.
    private var messageOpcode: Opcode?
    private var isCompressed = false
    /// Of the data frame in progress, or the last one.
    private var fin = true
    /// How many headers were read one by one; it wraps. A relay passes over most: those of messages of one frame that are all there.
    package private(set) var headersRead: UInt32 = 0
    /// Payload bytes that the headers of this message declared so far.
    private var messageLength = 0
    /// Frames of this message so far.
    private var fragments = 0
    /// Of the data frame in progress, or the last one.
    private var maskingKey: MaskingKey?
    private var frameLength = 0
    /// Payload bytes of the data frame in progress that have not come yet.
    private var remaining = 0

    package init(rules: Rules) {
        self.rules = rules
    }

    /// Whether the next byte belongs to a new frame: here another frame can be put in between.
    package var isAtFrameBoundary: Bool { self.remaining == 0 }

    /// How many bytes of the frame in progress have not come yet.
    package var remainingInFrame: Int { self.remaining }

    /// Whether the next data frame begins a new message.
    package var isAtMessageBoundary: Bool { self.messageOpcode == nil }

    /// How many payload bytes the message in progress has, so far as its headers say, with that of the frame at `position`. For a frame
    /// that was refused: `nil` where there is no whole header, or more than can be counted.
    package func messageLength(with bytes: Span<UInt8>, at position: Int) -> Int? {
        guard case .header(let header, _) = FrameHeader.parse(bytes, at: position) else { return nil }
        let (length, overflow) = self.messageLength.addingReportingOverflow(header.payloadLength)
        return overflow ? nil : length
    }
}

// MARK: - Relay

extension FrameReader {
    /// How far a walk came, and why it stopped there.
    package struct Walk: Hashable, Sendable {
        /// What lies between the start and here is checked headers and payload of data frames, to be forwarded as it is.
        package var end: Int
        package var stop: Stop

        package init(end: Int, stop: Stop) {
            self.end = end
            self.stop = stop
        }
    }

    package enum Stop: Hashable, Sendable {
        /// Everything was walked.
        case end
        /// What is left is the beginning of a header or of a control frame, fewer than 131 bytes: to be presented again
        /// in front of what comes next.
        case incomplete
        /// A whole control frame begins at `end`; the walk goes on at its `range.upperBound`.
        case control(ControlFrame)
        /// The frame at `end` breaks a rule; nothing of it may go on.
        case violation(Violation)
    }

    /// Walks over data frames from `start` on, up to the end of `bytes` or to what has to be decided about.
    package mutating func walk(_ bytes: Span<UInt8>, from start: Int) -> Walk {
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

    /// Passes over messages of one frame that are all here, as most are: of these nothing has to be remembered but the sum. What may
    /// be wrong with a frame, and what is not of this kind, is left to `readHeader`.
    ///
    /// - Returns: how many bytes they have.
    private mutating func skipWholeMessages(_ bytes: Span<UInt8>, from start: Int) -> Int {
        let reserved: UInt8 = self.rules.allowsCompression ? 0x40 : 0
        let mask: UInt8 = self.rules.expectsMask ? 0x80 : 0
        let keyLength = self.rules.expectsMask ? 4 : 0
        let longest = self.rules.maximumMessage == 0 ? 0xFFFF : min(self.rules.maximumMessage, 0xFFFF)
        var position = start
        while bytes.count - position >= 4 {
            let opcode = bytes[position] & ~reserved ^ 0x80
            guard opcode == Opcode.text.rawValue || opcode == Opcode.binary.rawValue else { break }
            // A masked length is below 126 if the mask is there, and well above if it is not.
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
    package struct DataPart: Hashable, Sendable {
        /// Text or binary: that of the message, for its continuation frames too.
        package var messageOpcode: Opcode
        /// Where the piece is, still masked; empty for an empty frame.
        package var range: Range<Int>
        /// The key for this piece: its first byte belongs to the byte at `range.lowerBound`.
        package var maskingKey: MaskingKey?
        /// The first piece of the message.
        package var isFirst: Bool
        /// The last piece of the message.
        package var isFinal: Bool
        package var isCompressed: Bool

        package init(
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

    package enum Event: Hashable, Sendable {
        /// Everything was read.
        case end
        /// What is left is the beginning of a header or of a control frame, fewer than 131 bytes: to be presented again
        /// in front of what comes next.
        case incomplete
        case data(DataPart)
        case control(ControlFrame)
        case violation(Violation)
    }

    /// Reads what is at `position` and advances it past that; `.incomplete` and `.violation` do not move it.
    package mutating func next(_ bytes: Span<UInt8>, at position: inout Int) -> Event {
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
        // An empty frame has a part too: it may be the last of its message.
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

// MARK: - What both share

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

    /// Makes the data frame with this header the one in progress; if it breaks a rule, nothing changes.
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

    /// Takes payload of the data frame in progress, of which `available` bytes are there, and ends the frame, and the
    /// message, with its last byte.
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
