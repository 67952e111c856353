public import Admission
internal import Configuration

/// What came of a message that was published.
public struct Published: Equatable, Sendable {
    /// `nil` without history.
    var position: RoomHistories.Position?
    /// Members that it went to, on this gateway.
    var receivers: Int

    /// The answer to the one that published it: a JSON object, and LF.
    public func json(of room: RoomName) -> [UInt8] {
        var json = Array("{\"room\":".utf8)
        json.append(quoted: room.text)
        if let position { json += ",\"offset\":\(position.offset),\"epoch\":\"\(position.epoch)\"".utf8 }
        json += ",\"receivers\":\(self.receivers)}\n".utf8
        return json
    }
}
