/// A whole message.
package struct Message: Hashable, Sendable {
    /// Text or binary.
    package var opcode: Opcode
    /// Unmasked; UTF-8 if the message is text.
    package var payload: [UInt8]

    package init(opcode: Opcode, payload: [UInt8]) {
        self.opcode = opcode
        self.payload = payload
    }
}

/// Collects the parts of a message that a `FrameReader` gives, inflated if it was compressed. Text is checked as it comes in.
///
/// What it holds has been received: a length that is only declared costs nothing. How much that can be is up to the
/// reader's rules. Between messages it holds no memory; after a violation it is of no more use.
package struct MessageAssembler: Sendable {
    /// A long message lies in pieces until it is whole: one array that grew would have to be twice as large, and leave holes where it was
    /// smaller.
    private static let pieceSize = 64 << 10

    /// Those that are full.
    private var pieces: [[UInt8]] = []
    /// What these take of memory, in bytes.
    private var piecesMemory = 0
    private var last: [UInt8] = []
    private var validator = UTF8Validator()

    package init() {}

    package enum Result: Hashable, Sendable {
        /// More parts are to come.
        case incomplete
        case message(Message)
        case violation(Violation)
    }

    /// Bytes held for the message in progress.
    package var byteCount: Int { self.pieces.reduce(self.last.count) { $0 + $1.count } }

    /// What they take of memory, in bytes.
    package var memory: Int { self.piecesMemory + self.last.capacity }

    /// Takes a part out of the bytes that the reader found it in, still masked.
    package mutating func add(_ part: FrameReader.DataPart, in bytes: Span<UInt8>) -> Result {
        self.add(part, payload: bytes.extracting(part.range), maskingKey: part.maskingKey)
    }

    /// Takes a part whose payload has been unmasked already.
    package mutating func add(_ part: FrameReader.DataPart, payload: Span<UInt8>) -> Result {
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
