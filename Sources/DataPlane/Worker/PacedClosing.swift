internal import Sessions
internal import System

/// One worker's sessions that will be closed, each at its time, so that their clients do not all come back at once.
final class PacedClosing: TimerHandler {
    private struct Entry {
        let time: MonotonicInstant
        let session: Session
        let ending: Ending
    }

    private unowned let loop: EventLoop
    /// The next one last.
    private var entries: [Entry] = []
    private var timer: EventLoop.TimerID?

    init(_ loop: EventLoop) { self.loop = loop }

    /// - Parameter times: from now, ascending. More sessions than times are closed at the last one.
    func close(_ sessions: [Session], at times: [Duration], _ ending: Ending) {
        for (index, session) in sessions.enumerated() {
            let time = times.isEmpty ? .zero : times[min(index, times.count - 1)]
            self.entries.append(Entry(time: self.loop.now + time, session: session, ending: ending))
        }
        self.entries.sort { $0.time > $1.time }
        self.timerFired()
    }

    func timerFired() {
        while let next = self.entries.last, next.time <= self.loop.now {
            self.entries.removeLast()
            // Closing a session that has ended does nothing.
            next.session.close(next.ending)
        }
        guard let next = self.entries.last else { return self.loop.cancelTimer(&self.timer) }
        self.loop.setTimer(&self.timer, at: next.time, self)
    }
}
