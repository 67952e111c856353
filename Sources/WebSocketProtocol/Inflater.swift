/// Inflates the messages of one direction (RFC 7692 section 7.2.2), one after the other, in pieces.
///
/// What comes out goes into memory of the caller's, and no further than it has room: a message that inflates to more than it may
/// is noticed while it does.
package final class Inflater {
    package enum Result: Hashable, Sendable {
        /// This many bytes came out, and there may be more: to be called again with the same input.
        case more(Int)
        /// This many bytes came out, and the input is used up.
        case end(Int)
        case violation(Violation)
    }

    private enum Stage {
        /// No byte of the message has come yet.
        case beginning
        case inside
        /// The last byte came from a block that said it is the last one.
        case ended
    }

    /// What every sender leaves out at the end of a message.
    private static let tail: [UInt8] = [0x00, 0x00, 0xFF, 0xFF]

    /// Bytes that the message in progress has inflated to so far.
    package private(set) var messageLength = 0
    /// The most bytes that a message may inflate to; 0 is no limit.
    package var maximumMessage: Int

    private let stream: InflateStream
    private let keepsContext: Bool
    private var stage = Stage.beginning
    /// How much of the tail was inflated.
    private var tailPosition = 0

    package init(_ direction: DeflateParameters.Direction, maximumMessage: Int = 0) {
        // One who says 8 may well be compressing with zlib's 9; both fit.
        self.stream = InflateStream(windowBits: max(9, direction.windowBits))
        self.keepsContext = direction.keepsContext
        self.maximumMessage = maximumMessage
    }

    /// Inflates `input` from `position` on, which moves past what was taken, into `output`, which must have room for a byte at
    /// least.
    ///
    /// - Parameter isFinal: the message ends with this input.
    package func inflate(
        _ input: Span<UInt8>, at position: inout Int, isFinal: Bool, into output: inout MutableSpan<UInt8>
    ) -> Result {
        var count = 0
        var outcome = self.run(input, at: &position, into: &output, &count)
        // A tail that was begun is gone through, even if a last block ended in the middle of it: that makes the message corrupt.
        if outcome == .needsInput, isFinal, self.stage == .inside || self.tailPosition > 0 {
            outcome = self.run(Self.tail.span, at: &self.tailPosition, into: &output, &count)
            // A message ends with the empty block that the tail completes.
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
                // After a last block the sender may go on with another (RFC 7692 section 7.2.3.4).
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
