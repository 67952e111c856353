/// A record of the log that tells of an event, for listeners.
public struct LoggedEvent: Sendable {
    /// What the events are called. The log has more words for some of them.
    enum Name: String {
        case open
        case close
        case refused
        case health
        case reload
        case drain
        case admin

        /// `nil` if the record tells of no such event.
        ///
        /// - Parameter event: the word of the log.
        init?(logged event: String) {
            switch event {
            case "reloaded", "reload-refused": self = .reload
            case "draining": self = .drain
            default: self.init(rawValue: event)
            }
        }
    }

    let name: Name
    let record: LogRecord
    /// The time in RFC 3339 format, the same as in the log.
    let time: String

    /// A JSON object with the name, the time, and the fields of the record.
    public var json: [UInt8] { LogFormatter.json(self) }
}
