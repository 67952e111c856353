/// The answer to a reload or, in the conditional, to a dry run.
public enum ReloadOutcome: Sendable {
    /// - Parameters:
    /// - closing: the number of sessions that are drained, by reason, such as "the route chat is gone".
    /// - kept: the number of sessions that go on.
    /// - awaitingStart: the changed keys that take effect only when the gateway starts again.
    case applied(closing: [String: Int], kept: Int, awaitingStart: [String])
    /// Nothing was changed. One line for each mistake.
    case refused([String])
}
