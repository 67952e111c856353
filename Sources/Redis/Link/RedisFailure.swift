/// Why a command has no good answer.
public enum RedisFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// There is no link to the server: the command was not sent.
    case away
    /// Too many commands are waiting for their answers: the command was not sent.
    case busy
    /// The link ended before the answer: it is unknown whether the command was done.
    case unknown(String)
    /// The server refused it, and has not done it.
    case refused(String)

    /// For the log.
    public var description: String {
        switch self {
        case .away: "there is no link to Redis"
        case .busy: "Redis does not keep up"
        case .unknown(let reason): "it is unknown whether Redis did it: \(reason)"
        case .refused(let reason): "Redis refused it: \(reason)"
        }
    }
}
