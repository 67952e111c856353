import Fuzzing
import WebSocketProtocol

/// What one leg was sent, read as that side reads it: well-formed, and nothing after a Close.
struct Sent {
    /// How many of these bytes came from the other leg.
    private(set) var relayed = 0
    private var reader: FrameReader
    private var held: [UInt8] = []
    private var closes = 0
    /// The check of the text message in progress; `nil` if this side may get invalid text.
    private var validator: UTF8Validator?

    var isInsideOfAFrame: Bool { !self.reader.isAtFrameBoundary }

    var hasClose: Bool { self.closes > 0 }

    init(isMasked: Bool, mustBeText: Bool) {
        if mustBeText { self.validator = UTF8Validator() }
        self.reader = FrameReader(rules: .init(expectsMask: isMasked, allowsCompression: true))
    }

    mutating func append(_ bytes: ArraySlice<UInt8>) {
        self.relayed += bytes.count
        self.read(bytes)
    }

    mutating func appendClose(_ frame: ArraySlice<UInt8>, isOurs: Bool) {
        if !isOurs { self.relayed += frame.count }
        expect(self.held.isEmpty && self.reader.isAtFrameBoundary, "a Close inside a frame")
        self.read(frame)
        expect(self.closes == 1, "a Close that is none")
    }

    mutating func appendPing(_ frame: ArraySlice<UInt8>) {
        expect(self.held.isEmpty && self.reader.isAtFrameBoundary, "a ping inside a frame")
        self.read(frame)
    }

    private mutating func read(_ piece: ArraySlice<UInt8>) {
        expect(self.closes == 0, "bytes after a Close")
        let bytes = self.held + piece
        self.held = []
        var position = 0
        while true {
            switch self.reader.next(bytes.span, at: &position) {
            case .end: return
            case .incomplete:
                self.held = Array(bytes[position...])
                return
            case .violation(let violation): fatalError("a side is sent what breaks a rule: \(violation)")
            case .data(let part): self.checkText(part, in: bytes)
            case .control(let frame):
                expect(self.closes == 0, "a frame after a Close")
                if frame.opcode == .close { self.closes += 1 }
            }
        }
    }

    private mutating func checkText(_ part: FrameReader.DataPart, in bytes: [UInt8]) {
        guard part.messageOpcode == .text, !part.isCompressed, var validator = self.validator else { return }
        let isValid = validator.consume(bytes.span.extracting(part.range), maskingKey: part.maskingKey)
        expect(isValid && (validator.isComplete || !part.isFinal), "a side is sent text that is none")
        self.validator = part.isFinal ? UTF8Validator() : validator
    }
}
