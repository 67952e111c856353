public import Configuration
internal import System

/// TCP keepalive of a leg that is sent no pings (tcp(7)): what the kernel asks its peer, and when. It has the times of a heartbeat, in whole
/// seconds.
public struct KeepAlive: Equatable, Sendable {
    /// The silence after which the peer is asked, in seconds.
    public let idle: Int32
    /// How long after that it is asked again, in seconds. A question may be lost, and nobody sends it again.
    public let interval: Int32
    /// After so many without an answer it is gone.
    public let count: Int32

    private static let mostQuestions: Int32 = 5
    /// The kernel's limit of either time.
    private static let mostSeconds = 32767.0

    /// - Parameter heartbeat: the leg's; `nil` where it is off, and the defaults hold.
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
