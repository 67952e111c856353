import Fuzzing
import WebSocketProtocol

/// What an endpoint reads of a client's messages, inflating compressed ones as they come into a buffer of some size.
struct Listener {
    private(set) var messages: [Message] = []
    private(set) var hasFailed = false

    private let inflater: Inflater
    private let maximum: Int
    private var reader: FrameReader
    private var assembler = MessageAssembler()
    private var room: [UInt8]
    private var held: [UInt8] = []
    private var isAtFirstPiece = true

    static func hear(
        _ pieces: [ArraySlice<UInt8>], _ direction: DeflateParameters.Direction, maximum: Int, room: Int
    ) -> Listener {
        var listener = Listener(direction, maximum: maximum, room: room)
        for piece in pieces where !listener.hasFailed { listener.received(listener.held + piece) }
        return listener
    }

    private init(_ direction: DeflateParameters.Direction, maximum: Int, room: Int) {
        self.inflater = Inflater(direction, maximumMessage: maximum)
        self.maximum = maximum
        self.reader = FrameReader(rules: .init(expectsMask: true, allowsCompression: true))
        self.room = [UInt8](repeating: 0, count: room)
    }

    private mutating func received(_ bytes: [UInt8]) {
        self.held = []
        var position = 0
        while !self.hasFailed {
            switch self.reader.next(bytes.span, at: &position) {
            case .end: return
            case .incomplete:
                self.held = Array(bytes[position...])
                return
            case .control: break
            case .violation: self.hasFailed = true
            case .data(let part):
                if part.isCompressed {
                    self.inflate(part, in: bytes)
                } else {
                    let result = self.assembler.add(part, in: bytes.span)
                    self.add(result)
                }
            }
        }
    }

    private mutating func inflate(_ part: FrameReader.DataPart, in bytes: [UInt8]) {
        var input: [UInt8] = []
        Masking.appendXored(bytes.span.extracting(part.range), with: part.maskingKey, to: &input)
        let inflater = self.inflater
        var taken = 0
        while !self.hasFailed {
            var output = self.room.mutableSpan
            let result = inflater.inflate(input.span, at: &taken, isFinal: part.isFinal, into: &output)
            switch result {
            case .more(let count):
                self.inflated(count, of: part, isFinal: false)
            case .end(let count):
                expect(taken == input.count, "input is left")
                return self.inflated(count, of: part, isFinal: part.isFinal)
            case .violation:
                self.hasFailed = true
            }
        }
    }

    private mutating func inflated(_ count: Int, of part: FrameReader.DataPart, isFinal: Bool) {
        let piece = FrameReader.DataPart(
            messageOpcode: part.messageOpcode, range: 0..<count, maskingKey: nil, isFirst: self.isAtFirstPiece,
            isFinal: isFinal, isCompressed: false)
        self.isAtFirstPiece = isFinal
        let output = self.room[..<count]
        let result = self.assembler.add(piece, payload: output.span)
        self.add(result)
        expect(self.maximum == 0 || self.assembler.byteCount <= self.maximum, "more in memory than the limit")
    }

    private mutating func add(_ result: MessageAssembler.Result) {
        switch result {
        case .incomplete: break
        case .message(let message): self.messages.append(message)
        case .violation: self.hasFailed = true
        }
    }
}
