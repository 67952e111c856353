internal import Redis
internal import System
internal import WebSocketProtocol

extension RoomHistories.Position {
    /// A position at the server.
    init(_ position: RoomPosition) { self.init(epoch: position.epoch, offset: Int(position.offset)) }
}

extension RoomHistories.Entry {
    /// A message at the server.
    init(_ message: RoomMessage) {
        self.init(message: Message(message), at: .milliseconds(message.time))
    }
}

extension Message {
    /// A message at the server, without what is said of it. Whatever may publish there can say that it is text.
    init(_ message: RoomMessage) {
        let isText =
            message.isText && UTF8Validator.validPrefix(of: message.payload.span).length == message.payload.count
        self.init(opcode: isText ? .text : .binary, payload: message.payload)
    }
}
