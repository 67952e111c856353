internal import DataPlane
internal import System

/// One host name: the endpoints that have it, and the calls that wait for its addresses. It is looked up once for all of them.
final class HostName: TimerHandler {
    let host: String
    var endpoints: [Endpoint] = []
    var schedule: RefreshSchedule
    private unowned let loop: EventLoop
    private let lookUp: (String) -> Void
    private var timer: EventLoop.TimerID?
    /// The calls that wait for the look-up in progress; below, those that came after it began.
    private var waiting: [Int] = []
    private var waitingForNext: [Int] = []

    /// - Parameter lookUp: starts a look-up of the host. Call `answered` when it is done.
    init(_ host: String, refresh: Duration, on loop: EventLoop, lookUp: @escaping (String) -> Void) {
        self.host = host
        self.schedule = RefreshSchedule(refresh: refresh, at: loop.now)
        self.loop = loop
        self.lookUp = lookUp
    }

    /// Looks the name up now. `answered` will return `id`.
    func want(_ id: Int) {
        self.waitingForNext.append(id)
        self.schedule.wanted(at: self.loop.now)
        self.goOn()
    }

    /// Starts a look-up if one is due, else sets the timer for it.
    func goOn() {
        let due = self.schedule.due
        guard due <= self.loop.now else {
            return due == .never ? self.stop() : self.loop.setTimer(&self.timer, at: due, self)
        }
        self.stop()
        self.schedule.begin(at: self.loop.now)
        self.waiting += self.waitingForNext
        self.waitingForNext = []
        self.lookUp(self.host)
    }

    /// Takes note of the result of a look-up.
    ///
    /// - Returns: the ids that waited for it.
    func answered(hasSucceeded: Bool) -> [Int] {
        defer { self.goOn() }
        defer { self.waiting = [] }
        self.schedule.answered(hasSucceeded: hasSucceeded, at: self.loop.now)
        return self.waiting
    }

    /// Stops looking it up.
    func stop() { self.loop.cancelTimer(&self.timer) }

    func timerFired() {
        self.timer = nil
        self.goOn()
    }
}
