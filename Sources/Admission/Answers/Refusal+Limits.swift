public import Configuration
public import HTTP1

extension Refusal {
    /// A limit on sessions or requests is reached.
    ///
    /// - Parameters:
    ///   - owner: what it is a limit of, in words for the log.
    ///   - bound: its value, for the log.
    ///   - wait: when to try again, at the earliest.
    public static func reached(
        _ limit: ReachedLimit, of owner: String, _ bound: String, retryAfter wait: Duration, _ head: RequestHead,
        routeIndex: Int?
    ) -> Refusal {
        let (status, wording): (Int, Wording) =
            switch limit.key {
            case .sessions: (503, "As many sessions are open as are allowed.")
            case .sessionsPerAddress: (429, "Your address has as many sessions open as it may.")
            case .handshakesPerAddress: (429, "Your address opens sessions faster than it may.")
            case .requestsPerAddress: (429, "Your address sends requests faster than it may.")
            case .connectionsPerAddress, .messagesPerSecond, .bytesPerSecond: (429, "A limit is reached.")
            }
        // Rounded up: a second too early would be another refusal.
        let seconds = max(1, wait.components.seconds + (wait.components.attoseconds > 0 ? 1 : 0))
        var refusal = Refusal(
            status, wording, cure: "Try again later.", fields: ["Retry-After": String(seconds)], routeIndex: routeIndex)
        refusal.explain(
            "limits.\(limit.key.rawValue) of \(owner) is reached: \(bound).", cure: "Raise it, if it is too low.")
        refusal.isToHead = head.method == "HEAD"
        return refusal
    }
}
