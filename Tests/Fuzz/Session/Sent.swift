import Fuzzing
import WebSocketProtocol

/// What one leg was sent, read as that side reads it: well-formed, and nothing after a Close.
struct Sent {
    /// Frames of the other leg.
    private(set) var relayed: [UInt8] = []
    private var reader: FrameReader
    private var held: [UInt8] = []
    private var closes = 0

    var hasClose: Bool { self.closes > 0 }

    init(isMasked: Bool) {
        self.reader = FrameReader(rules: .init(expectsMask: isMasked, allowsCompression: true))
    }

    mutating func append(_ bytes: ArraySlice<UInt8>) {
        self.relayed += bytes
        self.read(bytes)
    }

    mutating func appendClose(_ frame: ArraySlice<UInt8>, isOurs: Bool) {
        if !isOurs { self.relayed += frame }
        expect(self.held.isEmpty && self.reader.isAtFrameBoundary, "a Close inside a frame")
        self.read(frame)
        expect(self.closes == 1, "a Close that is none")
    }

    private mutating func read(_ piece: ArraySlice<UInt8>) {
        expect(self.closes == 0, "bytes after a Close")
        let bytes = self.held + piece
        self.held = []
        var position = 0
        while true {
            let walk = self.reader.walk(bytes.span, from: position)
            switch walk.stop {
            case .end: return
            case .incomplete:
                self.held = Array(bytes[walk.end...])
                return
            case .violation(let violation): fatalError("a side is sent what breaks a rule: \(violation)")
            case .control(let frame):
                expect(self.closes == 0, "a frame after a Close")
                if frame.opcode == .close { self.closes += 1 }
                position = frame.range.upperBound
            }
        }
    }
}
