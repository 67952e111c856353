/// A timer that calls a closure, once or again and again. For the control thread: sessions have no object for each timer.
public final class ControlTimer: TimerHandler {
    private unowned let loop: EventLoop
    private let interval: Duration?
    private let action: () -> Void
    private var timer: EventLoop.TimerID?
    /// The action may cancel the timer itself, while `timer` is not set.
    private var isCancelled = false

    /// A timer that fires once, after `delay`.
    public init(_ loop: EventLoop, once delay: Duration, _ action: @escaping () -> Void) {
        self.loop = loop
        self.interval = nil
        self.action = action
        loop.setTimer(&self.timer, at: .now() + delay, self)
    }

    /// A timer that fires every `interval`, for the first time after one.
    public init(_ loop: EventLoop, every interval: Duration, _ action: @escaping () -> Void) {
        self.loop = loop
        self.interval = interval
        self.action = action
        loop.setTimer(&self.timer, at: .now() + interval, self)
    }

    /// Removes the timer. It does not fire again.
    public func cancel() {
        self.isCancelled = true
        self.loop.cancelTimer(&self.timer)
    }

    /// Called by the loop.
    public func timerFired() {
        self.timer = nil
        self.action()
        guard let interval = self.interval, !self.isCancelled else { return }
        self.loop.setTimer(&self.timer, at: self.loop.now + interval, self)
    }
}
