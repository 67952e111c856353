internal import Configuration
internal import System

/// One worker's listening socket: accepts until the kernel has no more, and pauses when there is no room left.
final class Acceptor: ReadinessHandler, TimerHandler {
    /// The most connections accepted before the worker's sessions get their turn.
    private static let batch = 64
    /// How long accepting pauses where the system has no descriptor.
    private static let pause = Duration.milliseconds(100)
    /// And where there is no room for another session, which is over as soon as one ends, or has sent its request.
    private static let shortPause = Duration.milliseconds(10)
    /// Pauses that follow each other are one complaint for so long.
    private static let complaintInterval = Duration.seconds(10)

    /// The listener's number.
    let listener: Int

    private let descriptor: Int32
    private unowned let worker: Worker
    private var registration: EventLoop.Registration?
    private var timer: EventLoop.TimerID?
    private var complained: MonotonicInstant?

    init(_ descriptor: Int32, listener: Int, worker: Worker) {
        self.descriptor = descriptor
        self.listener = listener
        self.worker = worker
    }

    func start() throws(SystemError) {
        // Connections inherit it from the socket that they were accepted on.
        Kernel.sendAtOnce(self.descriptor)
        self.registration = try self.worker.loop.addReading(self.descriptor, exclusively: true, self)
    }

    /// Stops for good. What waits in the queue is accepted first: closing a listening socket resets it.
    ///
    /// - Parameter leavingQueue: another process has the same socket, and takes what waits.
    func close(leavingQueue: Bool = false) {
        if !leavingQueue { self.accept(atMost: .max) }
        self.stopWatching()
        // Last, because accepting may have ended in a pause.
        self.worker.loop.cancelTimer(&self.timer)
        Kernel.close(self.descriptor)
    }

    func ready(_ readiness: Readiness) { self.accept(atMost: Self.batch) }

    func timerFired() {
        self.timer = nil
        do throws(SystemError) {
            try self.start()
        } catch {
            self.setTimer(after: Self.pause)
        }
    }

    private func accept(atMost limit: Int) {
        var count = 0
        while count < limit {
            let room = self.worker.room
            if case .none(let reason) = room { return self.pause(for: Self.shortPause, because: reason) }
            switch Kernel.accept(self.descriptor) {
            case .accepted(let socket, let address):
                count += 1
                self.worker.accepted(socket, address, listener: self.listener, room)
            case .wouldBlock: return
            case .failed(let error):
                // Of the system, not of this connection (EMFILE, ENFILE, ENOMEM): trying again at once would spin.
                return self.pause(for: Self.pause, because: error.reason)
            }
        }
    }

    private func pause(for duration: Duration, because reason: String) {
        guard self.registration != nil else { return }
        let now = self.worker.loop.now
        if self.complained.map({ $0 + Self.complaintInterval <= now }) ?? true {
            self.complained = now
            self.worker.logPaused(listener: self.listener, because: reason)
        }
        self.stopWatching()
        self.setTimer(after: duration)
    }

    private func setTimer(after duration: Duration) {
        self.worker.loop.setTimer(&self.timer, at: self.worker.loop.now + duration, self)
    }

    private func stopWatching() {
        if let registration = self.registration { self.worker.loop.remove(registration, self.descriptor) }
        self.registration = nil
    }
}
