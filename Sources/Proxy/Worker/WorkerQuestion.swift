internal import Observability
internal import Sessions
internal import WebSocketProtocol

/// What the control thread asks each worker. The answers of all are put together by a `Survey`.
enum WorkerQuestion: Sendable {
    /// Every live session.
    case sessions
    /// How many sessions a new configuration would close, and why.
    case fates(ActiveConfiguration)
    /// How many sessions there are of these.
    case count(SessionSelection)
    /// What was counted so far.
    case metrics
    /// Who holds what, and who waits for room.
    case memory
    /// Close the session of this name.
    case close(id: String, code: CloseCode, reason: String)
}

enum WorkerAnswer: Sendable {
    case sessions([SessionRow])
    /// How many sessions would be closed, by the reason, and how many not.
    case fates(closing: [String: Int], kept: Int)
    case count(Int)
    case metrics(MetricsSnapshot)
    case memory(MemoryReport)
    /// Whether there was such a session.
    case closed(Bool)
}

/// Some of the sessions.
enum SessionSelection: Sendable {
    case all
    case ofBackend(String)
    case ofEndpoint(Endpoint)
    /// Those that a new configuration has no place for.
    case condemned(by: ActiveConfiguration)
}

/// When sessions of one worker are to be closed.
struct DrainOrder: Sendable {
    let cause: Cause
    /// For each session, the time from now, ascending. Sessions that the control thread did not know of go with the last.
    let times: [Duration]
    /// What becomes of sessions that are still being opened.
    let opening: Opening

    enum Opening: Sendable {
        /// They are turned away with 503: nobody is left to serve them.
        case refused
        /// They are opened, and closed after that.
        case finished
    }
}
