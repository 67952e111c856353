internal import CLinux

/// What a descriptor is ready for. Registrations are edge-triggered: each readiness is reported once, so a handler that stops
/// before "would block" must remember that there is more.
public struct Readiness: Equatable, Sendable {
    /// The bits of epoll.
    private let events: UInt32

    /// - Parameter events: the bits of epoll.
    public init(events: UInt32) { self.events = events }

    /// Nothing new: the handler asked to be called (`EventLoop.again`).
    public static var none: Readiness { Readiness(events: 0) }

    /// Nothing new.
    public var isNone: Bool { self.events == 0 }
    /// There is something to read, or the end.
    public var isReadable: Bool { self.has(EPOLLIN) }
    /// Writing is possible.
    public var isWritable: Bool { self.has(EPOLLOUT) }
    /// The peer has ended its side (FIN), or the connection has failed. Reading tells which.
    public var isEnded: Bool { self.has(EPOLLRDHUP) || self.has(EPOLLHUP) || self.has(EPOLLERR) }
    /// The connection was reset, or failed otherwise.
    public var isFailed: Bool { self.has(EPOLLERR) }

    private func has(_ event: EPOLL_EVENTS) -> Bool { self.events & event.rawValue != 0 }
}

/// A handler of the readiness of a descriptor.
public protocol ReadinessHandler: AnyObject {
    /// The descriptor is ready, or the handler has asked to be called.
    func ready(_ readiness: Readiness)

    /// Makes the long step that was put off (`EventLoop.againForLongStep`).
    ///
    /// - Parameter waited: how long it waited.
    /// - Returns: whether it took long. It did not if there was nothing left to do.
    func makeLongStep(afterWaiting waited: Duration) -> Bool
}

extension ReadinessHandler {
    /// For handlers that never put off a step.
    public func makeLongStep(afterWaiting waited: Duration) -> Bool { false }
}

/// A handler of a timer.
public protocol TimerHandler: AnyObject {
    /// The deadline has come.
    func timerFired()
}
