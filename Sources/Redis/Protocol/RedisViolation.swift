/// How a server broke the protocol: the end of a sentence that begins with "it sent", for the log.
public struct RedisViolation: Error, Equatable, Sendable, CustomStringConvertible {
    /// Without a full stop.
    public let description: String

    init(_ description: String) { self.description = description }
}
