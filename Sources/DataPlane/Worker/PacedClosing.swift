internal import Sessions
internal import System

/// Sessions of one worker that are to be closed, each at its time, so that not all their clients come back at once.
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

    /// - Parameter times: from now, ascending. Where there are more sessions than times, the last time is for all of the rest.
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
            // Nothing happens to one that has ended meanwhile.
            next.session.close(next.ending)
        }
        guard let next = self.entries.last else { return self.loop.cancelTimer(&self.timer) }
        self.loop.setTimer(&self.timer, at: next.time, self)
    }
}
