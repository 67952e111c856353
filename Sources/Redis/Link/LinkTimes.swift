/// How long a link waits for what.
public struct LinkTimes: Sendable {
    /// For the look-up of the name, the connections, TLS and the greetings together.
    public var connect = Duration.seconds(5)
    /// For the answer to a command.
    public var answer = Duration.seconds(5)
    /// The silence after which something is published to see whether it arrives, and then for it to arrive.
    public var probe = Duration.seconds(10)
    /// From a failure to the next attempt, doubled with each further one.
    public var shortestPause = Duration.milliseconds(100)
    /// The most of that.
    public var longestPause = Duration.seconds(2)

    /// Those of the gateway.
    public init() {}
}
