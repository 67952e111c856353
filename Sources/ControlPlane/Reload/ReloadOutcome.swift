/// What came of a reload, or what would come of it (a dry run).
public enum ReloadOutcome: Sendable {
    /// - Parameters:
    ///   - closing: how many sessions are (or would be) drained, by the reason, such as "the route chat is gone".
    ///   - kept: how many sessions stay as they are.
    ///   - awaitingStart: the keys whose changes take effect when the gateway starts anew.
    case applied(closing: [String: Int], kept: Int, awaitingStart: [String])
    /// Nothing was changed: what is wrong with the file, a line for each mistake.
    case refused([String])
}
