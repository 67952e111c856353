/// What came of a reload, or what would come of it (a dry run).
package enum ReloadOutcome: Sendable {
    /// - Parameters:
    ///   - closing: how many sessions are (or would be) drained, by the reason, such as "the route chat is gone".
    ///   - kept: how many sessions stay as they are.
    ///   - awaitingStart: the keys whose changes take effect when the gateway starts anew.
    case applied(closing: [String: Int], kept: Int, awaitingStart: [String])
    /// Nothing was changed: what is wrong with the file, a line for each mistake.
    case refused([String])
}

/// What a drain is about.
package enum DrainSelection: Sendable, Equatable {
    /// Everything; then the process ends.
    case process
    /// All endpoints of a backend.
    case backend(String)
    case endpoint(backend: String, name: String)
}

package enum DrainOutcome: Sendable, Equatable {
    /// - Parameter sessions: how many sessions will be closed.
    case draining(sessions: Int)
    /// An endpoint that was draining gets sessions again.
    case undrained
    case unknown(String)
}

/// What the gateway would answer to "may I send you new clients?".
package enum GatewayReadiness: Sendable, Equatable {
    case ready
    case draining
    /// There is no listener that accepts connections.
    case noListener
}
