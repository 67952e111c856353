public import Configuration
internal import System

/// TCP keepalive for a leg that gets no pings (tcp(7)). It uses the times of the heartbeat, in whole seconds.
public struct KeepAlive: Equatable, Sendable {
    /// The silence before the first probe, in seconds.
    public let idle: Int32
    /// The time between probes, in seconds. There are several, because a probe that is lost on the way is not sent again.
    public let interval: Int32
    /// The connection fails after this many unanswered probes.
    public let count: Int32

    private static let mostQuestions: Int32 = 5
    /// The kernel's limit for each of the two times.
    private static let mostSeconds = 32767.0

    /// - Parameter heartbeat: the leg's; `nil` if it is off, and the default times are used.
    public init(_ heartbeat: HeartbeatSettings?) {
        let heartbeat = heartbeat ?? HeartbeatSettings()
        let timeout = Self.seconds(heartbeat.timeout)
        self.idle = Self.seconds(heartbeat.interval)
        self.interval = (timeout + Self.mostQuestions - 1) / Self.mostQuestions
        self.count = (timeout + self.interval - 1) / self.interval
    }

    private static func seconds(_ duration: Duration) -> Int32 {
        Int32(min(max(duration.secondsAsDouble.rounded(.up), 1), self.mostSeconds))
    }
}
