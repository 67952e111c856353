internal import CLinux

/// What the kernel says of a descriptor. Registrations are edge-triggered: each is told once, and whoever stops reading
/// or writing before the kernel said "would block" remembers that there is more.
package struct Readiness: OptionSet, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let readable = Readiness(rawValue: EPOLLIN.rawValue)
    package static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
    /// The peer has ended its side (FIN), or more: reading will tell which.
    package static let ended = Readiness(rawValue: EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue)
    /// The connection was reset, or failed otherwise.
    package static let failed = Readiness(rawValue: EPOLLERR.rawValue)
}

/// Whoever waits for a descriptor.
package protocol ReadinessHandler: AnyObject {
    func ready(_ readiness: Readiness)
}

/// Whoever waits for a point in time.
package protocol TimerHandler: AnyObject {
    func timerFired()
}
