internal import CLinux

/// What the kernel says of a descriptor. Registrations are edge-triggered: each is told once, and whoever stops reading
/// or writing before the kernel said "would block" remembers that there is more.
package struct Readiness: Equatable, Sendable {
    /// What epoll said: a set of bits.
    private let events: UInt32

    package init(events: UInt32) { self.events = events }

    /// A call without news, because it was asked for (`EventLoop.again`).
    package static var none: Readiness { Readiness(events: 0) }

    package var isNone: Bool { self.events == 0 }
    package var isReadable: Bool { self.has(EPOLLIN) }
    package var isWritable: Bool { self.has(EPOLLOUT) }
    /// The peer has ended its side (FIN), or more: reading will tell which.
    package var isEnded: Bool { self.has(EPOLLRDHUP) || self.has(EPOLLHUP) || self.has(EPOLLERR) }
    /// The connection was reset, or failed otherwise.
    package var isFailed: Bool { self.has(EPOLLERR) }

    private func has(_ event: EPOLL_EVENTS) -> Bool { self.events & event.rawValue != 0 }
}

/// Whoever waits for a descriptor.
package protocol ReadinessHandler: AnyObject {
    func ready(_ readiness: Readiness)

    /// Makes the step that was put off (`EventLoop.againForLongStep`).
    ///
    /// - Parameter waited: how long it was in line.
    /// - Returns: whether it was a long one. A step for which there was nothing to do any more is none.
    func makeLongStep(afterWaiting waited: Duration) -> Bool
}

extension ReadinessHandler {
    /// Of those that put none off.
    package func makeLongStep(afterWaiting waited: Duration) -> Bool { false }
}

/// Whoever waits for a point in time.
package protocol TimerHandler: AnyObject {
    func timerFired()
}
