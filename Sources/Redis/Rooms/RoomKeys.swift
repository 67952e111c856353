internal import Configuration
internal import HTTP1

/// What a room is called at the server. All names are percent-encoded, so that none can be another's, or end the hash tag, which is the
/// backend: `gateway:{rooms}:lobby`.
public struct RoomKeys: Hashable, Sendable {
    /// Where its messages are published. The keys begin with it.
    public let channel: [UInt8]

    /// - Parameters:
    ///   - prefix: that of the configuration.
    ///   - backend: the backend's name.
    ///   - room: the room's name, decoded.
    public init(prefix: String, backend: String, room: String) {
        self.channel = Array("\(prefix):{\(backend.percentEncoded)}:\(room.percentEncoded)".utf8)
    }

    /// A hash: the epoch (`e`), and the last offset (`o`).
    var position: [UInt8] { self.channel + Array(":position".utf8) }
    /// A stream: the messages. Their ids are their offsets.
    var history: [UInt8] { self.channel + Array(":history".utf8) }
    /// The answer to the publishing with this `Idempotency-Key`.
    func answer(to key: [UInt8]) -> [UInt8] { self.channel + Array(":answer:".utf8) + key }
}
