/// A whole message.
public struct Message: Hashable, Sendable {
    /// Text or binary.
    public var opcode: Opcode
    /// Unmasked; UTF-8 if the message is text.
    public var payload: [UInt8]

    /// Text must be UTF-8.
    public init(opcode: Opcode, payload: [UInt8]) {
        self.opcode = opcode
        self.payload = payload
    }
}

/// Collects the parts of a message from a `FrameReader`, inflated if they were compressed. Text is checked as it arrives.
///
/// It holds only bytes that were received: a declared length costs nothing. The reader's rules limit how many. It holds
/// no memory between messages. Do not use it after a violation.
public struct MessageAssembler: Sendable {
    /// In bytes. A long message is kept in pieces until it is whole: a single array would double as it grows, and leave
    /// fragmented memory behind.
    private static let pieceSize = 64 << 10

    /// The full pieces.
    private var pieces: [[UInt8]] = []
    /// The memory of `pieces`, in bytes.
    private var piecesMemory = 0
    /// The piece that is being filled.
    private var last: [UInt8] = []
    private var validator = UTF8Validator()

    /// Between two messages.
    public init() {}

    /// The result of adding a part.
    public enum Result: Hashable, Sendable {
        /// The message has more parts.
        case incomplete
        /// The part was the last one.
        case message(Message)
        /// `invalidUTF8`.
        case violation(Violation)
    }

    /// Bytes held for the message in progress.
    public var byteCount: Int { self.pieces.reduce(self.last.count) { $0 + $1.count } }

    /// The memory they take, in bytes.
    public var memory: Int { self.piecesMemory + self.last.capacity }

    /// Adds a part that is still masked.
    ///
    /// - Parameter bytes: those that the reader found it in.
    public mutating func add(_ part: FrameReader.DataPart, in bytes: Span<UInt8>) -> Result {
        self.add(part, payload: bytes.extracting(part.range), maskingKey: part.maskingKey)
    }

    /// Adds a part with a payload that is unmasked already.
    public mutating func add(_ part: FrameReader.DataPart, payload: Span<UInt8>) -> Result {
        self.add(part, payload: payload, maskingKey: nil)
    }

    private mutating func add(
        _ part: FrameReader.DataPart, payload: Span<UInt8>, maskingKey: MaskingKey?
    ) -> Result {
        if part.messageOpcode == .text {
            let isText = self.validator.consume(payload, maskingKey: maskingKey)
            guard isText && (self.validator.isComplete || !part.isFinal) else { return .violation(.invalidUTF8) }
        }
        Masking.appendXored(payload, with: maskingKey, to: &self.last)
        guard part.isFinal else {
            self.beginPieceIfFull()
            return .incomplete
        }
        return .message(Message(opcode: part.messageOpcode, payload: self.takePayload()))
    }

    private mutating func beginPieceIfFull() {
        guard self.last.count >= Self.pieceSize else { return }
        self.piecesMemory += self.last.capacity
        self.pieces.append(self.last)
        self.last = []
    }

    private mutating func takePayload() -> [UInt8] {
        var payload: [UInt8] = []
        if self.pieces.isEmpty {
            swap(&payload, &self.last)
            return payload
        }
        payload.reserveCapacity(self.byteCount)
        for piece in self.pieces { payload += piece }
        payload += self.last
        self.pieces = []
        self.piecesMemory = 0
        self.last = []
        return payload
    }
}
