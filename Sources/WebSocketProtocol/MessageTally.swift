/// What passed in one direction of a session.
package struct MessageTally: Hashable, Sendable {
    /// Text messages that are complete.
    package var text: UInt64 = 0
    /// Binary messages that are complete.
    package var binary: UInt64 = 0
    /// Payload bytes of data frames, of incomplete messages too.
    package var payloadBytes: UInt64 = 0

    package init() {}
}
