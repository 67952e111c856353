/// A message that is to be published in a room.
public struct RoomPublication: Sendable {
    /// What members get.
    public var payload: [UInt8]
    /// Whether it is text.
    public var isText: Bool
    /// What its publisher calls it, in letters, digits and points; `nil`: nothing.
    public var origin: String?
    /// The session that does not get it; `nil`: all get it.
    public var excluded: String?
    /// `Idempotency-Key`, at most 256 bytes of any kind; `nil`: there is none.
    public var idempotencyKey: [UInt8]?
    /// What the answer says of receivers: it is remembered with the key.
    public var receivers: Int

    /// A message for all, without a key.
    public init(_ payload: [UInt8], isText: Bool, receivers: Int) {
        self.payload = payload
        self.isText = isText
        self.receivers = receivers
    }
}
