/// Inflates the messages of one direction (RFC 7692 section 7.2.2), in pieces.
///
/// The output goes to the caller's memory and stops where that is full, so a message over its limit is noticed early.
public final class Inflater {
    /// The result of `inflate`.
    public enum Result: Hashable, Sendable {
        /// So many bytes were written, and there may be more. Call again with the same input.
        case more(Int)
        /// So many bytes were written, and the input is used up.
        case end(Int)
        /// `invalidCompressedData` or `messageTooBig`.
        case violation(Violation)
    }

    private enum Stage {
        /// Before the first byte of a message.
        case beginning
        case inside
        /// After a block marked as the last one.
        case ended
    }

    /// The end of an empty block, which every sender leaves out at the end of a message (RFC 7692 section 7.2.1).
    private static let tail: [UInt8] = [0x00, 0x00, 0xFF, 0xFF]

    /// What the message in progress has inflated to so far, in bytes.
    private(set) var messageLength = 0
    /// The most bytes that a message may inflate to. Inclusive; 0 is no limit.
    public var maximumMessage: Int

    private let stream: InflateStream
    private let keepsContext: Bool
    private var stage = Stage.beginning
    /// How many bytes of the tail have been inflated.
    private var tailPosition = 0

    /// - Parameter maximumMessage: see the property.
    public init(_ direction: DeflateParameters.Direction, maximumMessage: Int = 0) {
        // A sender that agreed on 8 may compress with zlib's 9. A window of 9 can read both.
        self.stream = InflateStream(windowBits: max(9, direction.windowBits))
        self.keepsContext = direction.keepsContext
        self.maximumMessage = maximumMessage
    }

    /// Inflates `input` from `position` on into `output`, and moves `position` past the bytes taken.
    ///
    /// - Parameters:
    ///   - isFinal: the message ends with this input.
    ///   - output: has room for at least one byte.
    public func inflate(
        _ input: Span<UInt8>, at position: inout Int, isFinal: Bool, into output: inout MutableSpan<UInt8>
    ) -> Result {
        var count = 0
        var outcome = self.run(input, at: &position, into: &output, &count)
        // A tail that was begun is read to its end, even after a last block inside it: such a message is corrupt.
        if outcome == .needsInput, isFinal, self.stage == .inside || self.tailPosition > 0 {
            outcome = self.run(Self.tail.span, at: &self.tailPosition, into: &output, &count)
            // A valid message ends with the empty block that the tail completes.
            let isWhole = self.stage == .inside && self.stream.isAtBlockBoundary
            if outcome == .needsInput, !isWhole { outcome = .corrupt }
        }
        self.messageLength += count
        guard self.maximumMessage == 0 || self.messageLength <= self.maximumMessage else {
            return .violation(.messageTooBig)
        }
        switch outcome {
        case .corrupt: return .violation(.invalidCompressedData)
        case .needsRoom: return .more(count)
        case .needsInput, .ended:
            if isFinal { self.endMessage() }
            return .end(count)
        }
    }

    private func run(
        _ input: Span<UInt8>, at position: inout Int, into output: inout MutableSpan<UInt8>, _ count: inout Int
    ) -> InflateStream.Outcome {
        while true {
            if position < input.count {
                // The sender may go on with another block after a last one (RFC 7692 section 7.2.3.4).
                if self.stage == .ended { self.stream.reset(keepsWindow: true) }
                self.stage = .inside
            }
            guard self.stage == .inside else { return .needsInput }
            var room = output._mutatingExtracting(droppingFirst: count)
            let result = self.stream.inflate(input, at: &position, into: &room)
            count += result.count
            switch result.outcome {
            case .ended:
                self.stage = .ended
                if position == input.count { return .needsInput }
            case .needsInput where position < input.count: return .corrupt
            case .needsInput, .needsRoom, .corrupt: return result.outcome
            }
        }
    }

    private func endMessage() {
        if !self.keepsContext {
            self.stream.reset(keepsWindow: false)
        } else if self.stage == .ended {
            self.stream.reset(keepsWindow: true)
        }
        self.stage = .beginning
        self.tailPosition = 0
        self.messageLength = 0
    }
}
