import Fuzzing
import WebSocketProtocol

/// What a relay forwards from one direction: what a walk passes, and control frames as they are.
struct Walker: Equatable {
    var forwarded: [UInt8] = []
    var controls: [Control] = []
    var violation: Violation?
    var tally = MessageTally()
    /// Bytes of an incomplete frame.
    var held = 0

    static func walk(_ pieces: [ArraySlice<UInt8>], _ rules: FrameReader.Rules) -> Walker {
        var walker = Walker()
        var reader = FrameReader(rules: rules)
        var held: [UInt8] = []
        for piece in pieces where walker.violation == nil {
            let bytes = held + piece
            held = walker.receive(bytes, &reader)
            expect(held.count < 131, "more than a control frame is held")
        }
        walker.held = held.count
        walker.tally = reader.tally
        return walker
    }

    /// - Returns: the bytes that have to come again.
    private mutating func receive(_ bytes: [UInt8], _ reader: inout FrameReader) -> [UInt8] {
        var start = 0
        while true {
            let walk = reader.walk(bytes.span, from: start)
            self.forwarded += bytes[start..<walk.end]
            switch walk.stop {
            case .end: return []
            case .incomplete: return Array(bytes[walk.end...])
            case .violation(let violation):
                self.violation = violation
                let again = reader.walk(bytes.span, from: walk.end)
                expect(again == .init(end: walk.end, stop: walk.stop), "a violation is not found again")
                return []
            case .control(let frame):
                self.controls.append(Control(opcode: frame.opcode, payload: frame.payload(in: bytes.span)))
                self.forwarded += bytes[frame.range]
                start = frame.range.upperBound
            }
        }
    }
}
