/// What a server may send at most. More ends the connection.
public struct RedisLimits: Sendable {
    /// The longest string, in bytes.
    var string: Int
    /// The longest reply with all that is in it, in bytes of the wire.
    var reply: Int
    /// The most values in a reply, those that hold others included.
    var values = 1 << 17
    /// How many lists may be in one another.
    var depth = 8

    /// The longest line, in bytes: a number, a length, a status or an error.
    static let line = 64 << 10

    /// - Parameters:
    ///   - string: the longest string, in bytes.
    ///   - reply: the longest reply with all that is in it, in bytes of the wire.
    public init(string: Int = 64 << 20, reply: Int = 128 << 20) {
        self.string = string
        self.reply = reply
    }
}
