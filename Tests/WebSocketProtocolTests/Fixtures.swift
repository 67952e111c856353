import WebSocketProtocol

/// A whole message, a control frame or a violation.
enum Said: Hashable, Sendable {
    case text([UInt8])
    case binary([UInt8])
    case control(Opcode, [UInt8])
    case violation(Violation)
}

/// An endpoint that records what it reads, and holds the bytes that a reader leaves.
struct Listener {
    var reader: FrameReader
    var assembler = MessageAssembler()
    var held: [UInt8] = []
    var heard: [Said] = []
    /// The most bytes held at a time.
    var mostHeld = 0

    init(_ rules: FrameReader.Rules) {
        self.reader = FrameReader(rules: rules)
    }

    mutating func receive(_ chunk: some Sequence<UInt8>) {
        if case .violation = self.heard.last { return }
        let bytes = self.held + chunk
        var position = 0
        while true {
            switch self.reader.next(bytes.span, at: &position) {
            case .end:
                self.held = []
                return
            case .incomplete:
                self.held = Array(bytes[position...])
                self.mostHeld = max(self.mostHeld, self.held.count)
                return
            case .control(let frame):
                self.heard.append(.control(frame.opcode, frame.payload(in: bytes.span)))
            case .violation(let violation):
                self.heard.append(.violation(violation))
                return
            case .data(let part):
                switch self.assembler.add(part, in: bytes.span) {
                case .incomplete: break
                case .message(let message):
                    self.heard.append(message.opcode == .text ? .text(message.payload) : .binary(message.payload))
                case .violation(let violation):
                    self.heard.append(.violation(violation))
                    return
                }
            }
        }
    }
}

/// A relay that forwards what a walk passes, and control frames unchanged.
struct Relay {
    var reader: FrameReader
    var held: [UInt8] = []
    var forwarded: [UInt8] = []
    var controls: [ControlFrame] = []
    var violation: Violation?
    var mostHeld = 0

    init(_ rules: FrameReader.Rules) {
        self.reader = FrameReader(rules: rules)
    }

    mutating func receive(_ chunk: some Sequence<UInt8>) {
        guard self.violation == nil else { return }
        let bytes = self.held + chunk
        self.held = []
        var start = 0
        while true {
            let walk = self.reader.walk(bytes.span, from: start)
            self.forwarded += bytes[start..<walk.end]
            switch walk.stop {
            case .end: return
            case .incomplete:
                self.held = Array(bytes[walk.end...])
                self.mostHeld = max(self.mostHeld, self.held.count)
                return
            case .violation(let violation):
                self.violation = violation
                return
            case .control(let frame):
                self.controls.append(frame)
                self.forwarded += bytes[frame.range]
                start = frame.range.upperBound
            }
        }
    }
}

/// The ways to give `bytes` to a parser: whole, byte by byte, and cut in two at each place.
func cuts(of bytes: [UInt8]) -> [[ArraySlice<UInt8>]] {
    [[bytes[...]], bytes.indices.map { bytes[$0...$0] }] + bytes.indices.map { [bytes[..<$0], bytes[$0...]] }
}

extension FrameReader.Rules {
    static let client = FrameReader.Rules(expectsMask: true)
    static let server = FrameReader.Rules(expectsMask: false)
}

let someKey = MaskingKey(0x37, 0xFA, 0x21, 0x3D)

extension Frame {
    /// Any frame, with its payload in an array.
    static func of(
        _ opcode: Opcode, _ payload: [UInt8] = [], fin: Bool = true, rsv1: Bool = false, key: MaskingKey?
    ) -> [UInt8] {
        self.encoded(opcode, payload: payload.span, fin: fin, rsv1: rsv1, maskingKey: key)
    }
}
