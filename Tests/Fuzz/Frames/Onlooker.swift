import WebSocketProtocol

/// What an onlooker sees of one direction: whole frames, whatever rules hold for them.
struct Onlooker: Equatable {
    var controls: [Control] = []
    /// The sizes of data frames.
    var sizes: [Int] = []

    static func watch(_ pieces: [ArraySlice<UInt8>]) -> Onlooker {
        var onlooker = Onlooker()
        var observer = FrameObserver()
        var payload: [UInt8] = []
        for piece in pieces {
            let bytes = Array(piece)
            var position = 0
            while let part = observer.next(bytes.span, at: &position) {
                if part.isFirst { payload = [] }
                Masking.appendXored(bytes.span.extracting(part.range), with: part.maskingKey, to: &payload)
                guard part.isLast else { continue }
                if part.header.opcode.isControl {
                    onlooker.controls.append(Control(opcode: part.header.opcode, payload: payload))
                } else {
                    onlooker.sizes.append(payload.count)
                }
            }
        }
        return onlooker
    }
}
