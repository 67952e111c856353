internal import Sessions
internal import System

/// One worker's sessions and passed requests that will be closed, each at its time, so that their clients do not all come back at once.
final class PacedClosing: TimerHandler {
    private struct Entry {
        let time: MonotonicInstant
        let member: any Closable
        let ending: Ending
    }

    private unowned let loop: EventLoop
    /// The next one last.
    private var entries: [Entry] = []
    private var timer: EventLoop.TimerID?

    init(_ loop: EventLoop) { self.loop = loop }

    /// What to close, and how long from now.
    typealias Closing = (member: any Closable, at: Duration)

    /// Closes each at its time.
    func close(_ closings: [Closing], _ ending: Ending) {
        for closing in closings {
            self.entries.append(Entry(time: self.loop.now + closing.at, member: closing.member, ending: ending))
        }
        self.entries.sort { $0.time > $1.time }
        self.timerFired()
    }

    func timerFired() {
        while let next = self.entries.last, next.time <= self.loop.now {
            self.entries.removeLast()
            next.member.close(next.ending)
        }
        guard let next = self.entries.last else { return self.loop.cancelTimer(&self.timer) }
        self.loop.setTimer(&self.timer, at: next.time, self)
    }
}
