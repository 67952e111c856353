internal import DataPlane
internal import System

/// A host name that endpoints have, and what they wait for of it. It is looked up once for all of them.
final class HostName: TimerHandler {
    let host: String
    var endpoints: [Endpoint] = []
    var schedule: LookUpSchedule
    private unowned let loop: EventLoop
    private let lookUp: (String) -> Void
    private var timer: EventLoop.TimerID?
    /// Who waits for the answer to the question that was asked, and who came after that.
    private var waiting: [Int] = []
    private var waitingForNext: [Int] = []

    /// - Parameter lookUp: asks for the addresses of the host; `answered` is to be called when they are here.
    init(_ host: String, refresh: Duration, on loop: EventLoop, lookUp: @escaping (String) -> Void) {
        self.host = host
        self.schedule = LookUpSchedule(refresh: refresh, at: loop.now)
        self.loop = loop
        self.lookUp = lookUp
    }

    /// Has it looked up now, for whoever waits as `id`.
    func want(_ id: Int) {
        self.waitingForNext.append(id)
        self.schedule.wanted(at: self.loop.now)
        self.goOn()
    }

    /// Looks it up, if that is due, and sees to it that it is when it will be.
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

    /// - Returns: those whose waiting is over.
    func answered(hasSucceeded: Bool) -> [Int] {
        defer { self.goOn() }
        defer { self.waiting = [] }
        self.schedule.answered(hasSucceeded: hasSucceeded, at: self.loop.now)
        return self.waiting
    }

    /// It is not looked up any more.
    func stop() { self.loop.cancelTimer(&self.timer) }

    func timerFired() {
        self.timer = nil
        self.goOn()
    }
}
