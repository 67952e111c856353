// The values of keys that take one of a few words. The raw values are the words of the file.

/// `log.format`
public enum LogFormat: String, CaseIterable, Sendable {
    /// Text where the output is a terminal, else JSON.
    case auto
    /// A line for people: time, level, event and fields.
    case text
    /// An object on each line.
    case json
}

/// `log.level`, from the least important lines to the most important ones.
public enum LogLevel: String, CaseIterable, Sendable {
    /// Single steps, for finding a fault.
    case debug
    /// What happens in ordinary work, such as a session that opens or closes.
    case info
    /// What an operator should look at.
    case warning
    /// What does not work.
    case error
}

/// `log.requests`: which of the plain requests that are answered have a line in the log.
public enum LoggedRequests: String, CaseIterable, Sendable {
    /// Those answered with 500 and up, or not to the end.
    case errors
    case all
    case off
}

/// `minimum` of a listener's `tls`
public enum MinimumTLS: String, CaseIterable, Sendable {
    /// TLS 1.2 (RFC 5246) or newer.
    case tls12 = "1.2"
    /// TLS 1.3 (RFC 8446) or newer.
    case tls13 = "1.3"
}

/// `page` of a route
public enum BuiltinPage: String, CaseIterable, Sendable {
    /// Opens a WebSocket from a browser and shows its messages.
    case console
}

/// `compression`: the answer to a client's offer to compress.
public enum CompressionRule: String, CaseIterable, Sendable {
    /// The offer goes on to the backend; a bridge or built-in service accepts it within `limits.compression`.
    case pass
    /// The offer is left out, so that all payload is plain.
    case off
}

/// `utf8`: whether relayed text is checked to be UTF-8. A bridge and a built-in service always check it.
public enum UTF8Check: String, CaseIterable, Sendable {
    /// The client and the backend check it, or not.
    case pass
    /// Both directions are checked as the bytes arrive; compressed text is not.
    case check
}

/// `close-codes`: the codes that clients are sent where the gateway closes a session.
public enum CloseCodes: String, CaseIterable, Sendable {
    /// All that are registered, 1012 (service restart) and 1013 (try again later) too.
    case registered
    /// Those of RFC 6455 itself, for client libraries that take the others for a protocol error.
    case rfc6455
}

/// `message` of a backend: the kind of message that the bytes of a TCP server become.
public enum BridgeMessage: String, CaseIterable, Sendable {
    /// Any bytes.
    case binary
    /// UTF-8. A character that is split between two reads is kept whole.
    case text
}

/// `check` of a backend's `health`
public enum HealthCheckKind: String, CaseIterable, Sendable {
    /// An opening handshake, a ping and its pong.
    case websocket
    /// A TCP connection, and TLS where the endpoint has it.
    case connect
    /// A GET request and its status.
    case http
}

/// `builtin` of a backend
enum BuiltinName: String, CaseIterable, Sendable {
    /// Each message goes back to its sender.
    case echo
    /// Each message goes to all clients of its room.
    case broadcast
    /// The time goes to each client, once per `every`.
    case clock
}
