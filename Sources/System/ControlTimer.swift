/// A timer of the control thread.
package final class ControlTimer: TimerHandler {
    private unowned let loop: EventLoop
    private let interval: Duration?
    private let action: () -> Void
    private var timer: EventLoop.TimerID?
    /// The action itself may cancel it, when `timer` is not set.
    private var isCancelled = false

    package init(_ loop: EventLoop, once delay: Duration, _ action: @escaping () -> Void) {
        self.loop = loop
        self.interval = nil
        self.action = action
        loop.setTimer(&self.timer, at: .now() + delay, self)
    }

    package init(_ loop: EventLoop, every interval: Duration, _ action: @escaping () -> Void) {
        self.loop = loop
        self.interval = interval
        self.action = action
        loop.setTimer(&self.timer, at: .now() + interval, self)
    }

    package func cancel() {
        self.isCancelled = true
        self.loop.cancelTimer(&self.timer)
    }

    package func timerFired() {
        self.timer = nil
        self.action()
        guard let interval = self.interval, !self.isCancelled else { return }
        self.loop.setTimer(&self.timer, at: self.loop.now + interval, self)
    }
}
