/// Reads the frames of one direction where they lie: checks every header before a byte of its frame is let through, and keeps
/// count. It holds no bytes and allocates nothing.
///
/// States: between frames, or inside the payload of a data frame; and beside that, between messages, or inside a fragmented
/// one. A control frame is taken whole, so there is no state for the inside of one.
///
/// There are two ways to read. `walk` is a relay's: it says how far the bytes can go on as they are. `next` is an endpoint's: it
/// takes the payload apart.
package struct FrameReader: Sendable {
    /// What is checked.
    package struct Rules: Hashable, Sendable {
        /// True for what a client sends (RFC 6455 section 5.1).
        package var expectsMask: Bool
        /// Whether permessage-deflate is in force: RSV1 may be set on the first frame of a message (RFC 7692 section 6.1).
        package var allowsCompression: Bool
        /// The largest message, in bytes of payload on the wire, inclusive; 0: any.
        package var maximumMessage: Int
        /// The most frames of one message, inclusive; 0: any number.
        package var maximumFragments: Int

        package init(expectsMask: Bool, allowsCompression: Bool = false, maximumMessage: Int = 0, maximumFragments: Int = 0) {
            self.expectsMask = expectsMask
            self.allowsCompression = allowsCompression
            self.maximumMessage = maximumMessage
            self.maximumFragments = maximumFragments
        }
    }

    package let rules: Rules
    package private(set) var tally = MessageTally()

    /// Payload of the current data frame that has not come yet.
    private var remaining = 0
    /// Whether the current frame is its message's last.
    private var isLastFrame = true
    /// The current frame's key, as seen from its next payload byte.
    private var maskingKey: MaskingKey?
    /// The message that is not whole yet; `nil` between messages.
    private var message: OpenMessage?

    private struct OpenMessage: Sendable {
        let opcode: Opcode
        let isCompressed: Bool
        var length: Int
        var fragments: Int
        var hasParts = false
    }

    package init(_ rules: Rules) { self.rules = rules }

    /// Nothing of a frame was let through that is not whole.
    package var isAtFrameBoundary: Bool { self.remaining == 0 }

    /// Payload of the current frame that has not come yet, in bytes.
    package var remainingInFrame: Int { self.remaining }

    // MARK: - A relay's way

    package enum Stop: Equatable, Sendable {
        /// All bytes were walked.
        case end
        /// What is left is the beginning of a header or of a control frame: to be given again, with what follows it. At most
        /// 138 bytes.
        case incomplete
        /// A control frame lies here. The walk goes on behind it, at the end of its range.
        case control(ControlFrame)
        /// The frame that begins here must not go on.
        case violation(Violation)
    }

    package struct Walk: Equatable, Sendable {
        /// Everything before this place can go on as it is.
        package let end: Int
        package let stop: Stop
    }

    /// Walks over whole headers and payload of data frames, from `start` on.
    package mutating func walk(_ bytes: Span<UInt8>, from start: Int) -> Walk {
        var position = start
        while true {
            if self.remaining > 0 {
                let length = min(self.remaining, bytes.count - position)
                self.remaining -= length
                position += length
                if self.remaining > 0 { return Walk(end: position, stop: .end) }
                self.endFrame()
            }
            guard position < bytes.count else { return Walk(end: position, stop: .end) }
            switch self.header(bytes, at: position) {
            case .incomplete: return Walk(end: position, stop: .incomplete)
            case .invalid(let violation): return Walk(end: position, stop: .violation(violation))
            case .control(let frame): return Walk(end: position, stop: .control(frame))
            case .data(let length): position += length
            }
            if self.remaining == 0 { self.endFrame() }
        }
    }

    // MARK: - An endpoint's way

    /// A piece of a message's payload.
    package struct DataPart: Equatable, Sendable {
        /// `.text` or `.binary`.
        package let opcode: Opcode
        /// Where it lies, still masked.
        package let range: Range<Int>
        /// The key as seen from the first byte of `range`.
        package let maskingKey: MaskingKey?
        /// Nothing of the message came before.
        package let isFirst: Bool
        /// The message is whole with this.
        package let isFinal: Bool
        package let isCompressed: Bool
    }

    package enum Event: Equatable, Sendable {
        /// All bytes were read.
        case end
        /// As `Stop.incomplete`.
        case incomplete
        case data(DataPart)
        case control(ControlFrame)
        case violation(Violation)
    }

    /// Reads what comes next, and moves `position` behind it.
    package mutating func next(_ bytes: Span<UInt8>, at position: inout Int) -> Event {
        while true {
            if self.remaining > 0 {
                guard position < bytes.count else { return .end }
                let start = position
                position += min(self.remaining, bytes.count - position)
                return .data(self.takePart(start..<position))
            }
            guard position < bytes.count else { return .end }
            switch self.header(bytes, at: position) {
            case .incomplete: return .incomplete
            case .invalid(let violation): return .violation(violation)
            case .control(let frame):
                position = frame.range.upperBound
                return .control(frame)
            case .data(let length):
                position += length
                // An empty frame matters if it ends its message.
                if self.remaining == 0 {
                    if self.isLastFrame { return .data(self.takePart(position..<position)) }
                    self.endFrame()
                }
            }
        }
    }

    private mutating func takePart(_ range: Range<Int>) -> DataPart {
        let key = self.maskingKey
        self.maskingKey = key?.rotated(by: range.count)
        self.remaining -= range.count
        let isFinal = self.remaining == 0 && self.isLastFrame
        let message = self.message
        self.message?.hasParts = true
        let part = DataPart(
            opcode: message?.opcode ?? .binary, range: range, maskingKey: key, isFirst: message?.hasParts == false,
            isFinal: isFinal, isCompressed: message?.isCompressed == true)
        if self.remaining == 0 { self.endFrame() }
        return part
    }

    // MARK: - Headers

    private enum Header {
        case incomplete
        case invalid(Violation)
        case control(ControlFrame)
        /// The header of a data frame, now begun, of this many bytes.
        case data(Int)
    }

    private mutating func header(_ bytes: Span<UInt8>, at start: Int) -> Header {
        switch FrameHeader.parse(bytes, at: start) {
        case .incomplete: return .incomplete
        case .invalid(let violation): return .invalid(violation)
        case .header(let header, let length):
            if let violation = self.violation(in: header) { return .invalid(violation) }
            if header.opcode.isControl { return self.control(header, length: length, bytes, at: start) }
            self.beginFrame(header)
            return .data(length)
        }
    }

    private func control(_ header: FrameHeader, length: Int, _ bytes: Span<UInt8>, at start: Int) -> Header {
        let payload = start + length
        guard bytes.count - payload >= header.payloadLength else { return .incomplete }
        let end = payload + header.payloadLength
        let frame = ControlFrame(
            opcode: header.opcode, range: start..<end, payloadRange: payload..<end, maskingKey: header.maskingKey)
        if header.opcode == .close, let violation = CloseFrame.violation(in: frame.payload(in: bytes)) {
            return .invalid(violation)
        }
        return .control(frame)
    }

    /// The rules that need to know more than the header (RFC 6455 sections 5.1, 5.2, 5.4), and the limits.
    private func violation(in header: FrameHeader) -> Violation? {
        if (header.maskingKey != nil) != self.rules.expectsMask {
            return self.rules.expectsMask ? .unmaskedFrame : .maskedFrame
        }
        if header.rsv1, !self.rules.allowsCompression || header.opcode.isControl || header.opcode == .continuation {
            return .reservedBits
        }
        if header.opcode.isControl { return nil }
        if header.opcode == .continuation {
            guard let message = self.message else { return .unexpectedContinuation }
            let (length, overflow) = message.length.addingReportingOverflow(header.payloadLength)
            return self.limit(length: overflow ? .max : length, fragments: message.fragments + 1)
        }
        guard self.message == nil else { return .expectedContinuation }
        return self.limit(length: header.payloadLength, fragments: 1)
    }

    private func limit(length: Int, fragments: Int) -> Violation? {
        if self.rules.maximumMessage > 0, length > self.rules.maximumMessage { return .messageTooBig }
        if self.rules.maximumFragments > 0, fragments > self.rules.maximumFragments { return .tooManyFragments }
        return nil
    }

    private mutating func beginFrame(_ header: FrameHeader) {
        if header.opcode == .continuation {
            self.message?.fragments &+= 1
            // No limit: the sum stays in range because a stream of 2^63 bytes does not end.
            self.message?.length &+= header.payloadLength
        } else {
            self.message = OpenMessage(
                opcode: header.opcode, isCompressed: header.rsv1, length: header.payloadLength, fragments: 1)
        }
        self.remaining = header.payloadLength
        self.isLastFrame = header.fin
        self.maskingKey = header.maskingKey
        self.tally.payloadBytes &+= UInt64(header.payloadLength)
    }

    private mutating func endFrame() {
        self.maskingKey = nil
        guard self.isLastFrame, let message = self.message else { return }
        if message.opcode == .text { self.tally.text &+= 1 } else { self.tally.binary &+= 1 }
        self.message = nil
    }
}

/// What came in one direction.
package struct MessageTally: Hashable, Sendable {
    /// Whole text messages.
    package var text: UInt64 = 0
    /// Whole binary messages.
    package var binary: UInt64 = 0
    /// Of data frames, as on the wire.
    package var payloadBytes: UInt64 = 0

    package init() {}

    package var messages: UInt64 { self.text &+ self.binary }
}
