internal import Admission
internal import Configuration
internal import Sessions
internal import System
internal import WebSocketProtocol

/// The line with which a message begins for a member that wants one (`meta.gateway`): a JSON object, and LF.
enum RoomLine {
    /// The line of a message.
    ///
    /// - Parameters:
    ///   - position: `nil` without history.
    ///   - time: when it was posted, since 1970-01-01 00:00 UTC.
    static func of(_ position: RoomHistories.Position?, at time: Duration) -> [UInt8] {
        var line = Array("{".utf8)
        if let position { line += "\"offset\":\(position.offset),\"epoch\":\"\(position.epoch)\",".utf8 }
        line += "\"at\":\"\(WallClock.rfc3339(time))\"}\n".utf8
        return line
    }

    /// The line that comes first, without a message.
    static func first(_ recovery: RoomHistories.Recovery, _ session: SessionID) -> [UInt8] {
        var line = Array("{\"recovered\":\(recovery.isWhole),".utf8)
        if let position = recovery.position {
            line += "\"epoch\":\"\(position.epoch)\",\"offset\":\(position.offset),".utf8
        }
        line += "\"session\":\"\(session)\"}\n".utf8
        return line
    }
}

extension RoomMessages {
    /// The messages one by one.
    var payloads: [Message] {
        var messages: [Message] = []
        let span = self.bytes.span
        var position = 0
        // We encoded them, so each frame is whole and valid.
        while case .header(let header, let length) = FrameHeader.parse(span, at: position) {
            let start = position + length
            position = start + header.payloadLength
            messages.append(Message(opcode: header.opcode, payload: Array(self.bytes[start..<position])))
        }
        return messages
    }

    /// The messages of a post, each with its line.
    init(lined post: RoomPost) {
        self.init()
        for (index, message) in post.messages.payloads.enumerated() {
            let position = post.position.map { RoomHistories.Position(epoch: $0.epoch, offset: $0.offset + index) }
            self.append(Message(opcode: message.opcode, payload: RoomLine.of(position, at: post.at) + message.payload))
        }
    }

    /// What a member gets that has just joined.
    ///
    /// - Parameter session: the member's, if it wants lines.
    init(_ recovery: RoomHistories.Recovery, linesFor session: SessionID?) {
        self.init()
        if let session { self.append(Message(opcode: .text, payload: RoomLine.first(recovery, session))) }
        guard let last = recovery.position else { return }
        for (index, entry) in recovery.missed.enumerated() {
            let offset = last.offset - recovery.missed.count + 1 + index
            let position = RoomHistories.Position(epoch: last.epoch, offset: offset)
            let line = session == nil ? [] : RoomLine.of(position, at: entry.at)
            self.append(Message(opcode: entry.message.opcode, payload: line + entry.message.payload))
        }
    }
}
