/// The Host field a WebSocket backend sees.
public enum HostHeader: Equatable, Sendable {
    /// The client's.
    case pass
    /// The authority of the endpoint's URL.
    case endpoint
    /// This host, with or without a port, as it is written.
    case name(String)

    /// Reads `pass`, `endpoint`, or the name to send, with or without a port.
    ///
    /// - Throws: A `Mistake` for anything else.
    init(parsing text: String) throws(Mistake) {
        switch text {
        case "pass": self = .pass
        case "endpoint": self = .endpoint
        default: self = .name(try Word.authority(text, or: "`pass`, `endpoint`"))
        }
    }
}
