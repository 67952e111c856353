internal import System

/// A timer of the control thread.
final class ControlTimer: TimerHandler {
    private unowned let loop: EventLoop
    private let interval: Duration?
    private let action: () -> Void
    private var timer: EventLoop.TimerID?
    /// The action itself may cancel it, when `timer` is not set.
    private var isCancelled = false

    init(_ loop: EventLoop, once delay: Duration, _ action: @escaping () -> Void) {
        self.loop = loop
        self.interval = nil
        self.action = action
        loop.setTimer(&self.timer, at: .now() + delay, self)
    }

    init(_ loop: EventLoop, every interval: Duration, _ action: @escaping () -> Void) {
        self.loop = loop
        self.interval = interval
        self.action = action
        loop.setTimer(&self.timer, at: .now() + interval, self)
    }

    func cancel() {
        self.isCancelled = true
        self.loop.cancelTimer(&self.timer)
    }

    func timerFired() {
        self.timer = nil
        self.action()
        guard let interval = self.interval, !self.isCancelled else { return }
        self.loop.setTimer(&self.timer, at: self.loop.now + interval, self)
    }
}
