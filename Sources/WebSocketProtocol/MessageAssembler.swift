/// A whole message.
package struct Message: Hashable, Sendable {
    /// `.text` or `.binary`.
    package let opcode: Opcode
    package let payload: [UInt8]

    package init(opcode: Opcode, payload: [UInt8]) {
        self.opcode = opcode
        self.payload = payload
    }
}

/// Puts the parts of messages together, and checks that text is text (RFC 6455 section 8.1) as soon as it comes.
///
/// Memory grows with what has come, not with what a header announces; the reader's limits bound it.
package struct MessageAssembler: Sendable {
    package enum Result: Equatable, Sendable {
        case incomplete
        case message(Message)
        case violation(Violation)
    }

    private var payload: [UInt8] = []
    private var validator = UTF8Validator()

    package init() {}

    /// Takes the next part.
    ///
    /// - Parameter payload: the part's bytes, unmasked.
    package mutating func add(_ part: FrameReader.DataPart, _ payload: Span<UInt8>) -> Result {
        if let violation = self.check(part, payload) { return .violation(violation) }
        self.payload.append(addingCapacity: payload.count) { room in
            for index in 0..<payload.count { room.append(payload[index]) }
        }
        guard part.isFinal else { return .incomplete }
        let message = Message(opcode: part.opcode, payload: self.payload)
        self.payload = []
        return .message(message)
    }

    /// Checks the next part's text without keeping it.
    package mutating func check(_ part: FrameReader.DataPart, _ payload: Span<UInt8>) -> Violation? {
        guard part.opcode == .text else { return nil }
        guard self.validator.consume(payload), !part.isFinal || self.validator.isComplete else { return .invalidUTF8 }
        if part.isFinal { self.validator = UTF8Validator() }
        return nil
    }
}
