/// The answer to a reload or, in the conditional, to a dry run.
public enum ReloadOutcome: Sendable {
    /// - Parameters:
    /// - closing: the number of sessions that are drained, by reason, such as "the route chat is gone".
    /// - kept: the number of sessions that go on.
    /// - awaitingStart: the changed keys that take effect only when the gateway starts again.
    /// - files: what was read, for a dry run; `nil` for a reload.
    case applied(closing: [String: Int], kept: Int, awaitingStart: [String], files: Files? = nil)
    /// Nothing was changed. One line for each mistake.
    case refused([String])

    /// The bytes of two files, with all secrets that they have.
    public struct Files: Sendable {
        /// The file in force.
        public var old: [UInt8]
        /// The file that would replace it.
        public var new: [UInt8]

        /// See the properties.
        public init(old: [UInt8], new: [UInt8]) {
            self.old = old
            self.new = new
        }
    }
}
