import Fuzzing
import WebSocketProtocol

/// What an endpoint reads from one direction: whole messages, with their text checked.
struct Endpoint: Equatable {
    var messages: [Message] = []
    var controls: [Control] = []
    var violation: Violation?
    /// The violation is in a message, not in a frame.
    var hasBadText = false
    var tally = MessageTally()

    static func hear(_ pieces: [ArraySlice<UInt8>], _ rules: FrameReader.Rules) -> Endpoint {
        var endpoint = Endpoint()
        var reader = FrameReader(rules: rules)
        var assembler = MessageAssembler()
        // The payload of the message in progress, assembled without the assembler.
        var payload: [UInt8] = []
        var held: [UInt8] = []
        for piece in pieces where endpoint.violation == nil {
            let bytes = held + piece
            held = endpoint.receive(bytes, &reader, &assembler, &payload)
            expect(held.count < 131, "more than a control frame is held")
        }
        // How far the reader was when it found invalid text depends on the pieces.
        if !endpoint.hasBadText { endpoint.tally = reader.tally }
        return endpoint
    }

    private mutating func receive(
        _ bytes: [UInt8], _ reader: inout FrameReader, _ assembler: inout MessageAssembler, _ payload: inout [UInt8]
    ) -> [UInt8] {
        var position = 0
        while true {
            switch reader.next(bytes.span, at: &position) {
            case .end: return []
            case .incomplete: return Array(bytes[position...])
            case .violation(let violation):
                self.violation = violation
                return []
            case .control(let frame):
                self.controls.append(Control(opcode: frame.opcode, payload: frame.payload(in: bytes.span)))
            case .data(let part):
                if part.isFirst { payload = [] }
                for (offset, index) in part.range.enumerated() {
                    payload.append(bytes[index] ^ (part.maskingKey?[offset] ?? 0))
                }
                switch assembler.add(part, in: bytes.span) {
                case .incomplete: break
                case .message(let message):
                    expect(message.payload == payload, "a message has another payload")
                    let isText = message.opcode == .text
                    expect(!isText || String(validating: payload, as: UTF8.self) != nil, "text that is not UTF-8")
                    self.messages.append(message)
                case .violation(let violation):
                    expect(String(validating: payload, as: UTF8.self) == nil, "UTF-8 that is taken for none")
                    self.violation = violation
                    self.hasBadText = true
                    return []
                }
            }
        }
    }
}
