internal import Configuration
internal import EventLoop

/// One worker's listening socket: accepts until the kernel has no more, and pauses when there is no descriptor left.
final class Acceptor: ReadinessHandler, TimerHandler {
    /// The most connections accepted before the worker's sessions get their turn.
    private static let batch = 64
    /// How long accepting pauses where descriptors ran out.
    private static let pause = Duration.milliseconds(100)

    /// The listener's number.
    let listener: Int

    private let descriptor: Int32
    private unowned let worker: Worker
    private var registration: EventLoop.Registration?
    private var timer: EventLoop.TimerID?
    private var hasComplained = false

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
            self.setTimer()
        }
    }

    private func accept(atMost limit: Int) {
        var count = 0
        while count < limit {
            guard self.worker.fleet.hasRoom else { return self.pause(because: "every descriptor is in use") }
            switch Kernel.accept(self.descriptor) {
            case .accepted(let socket, let address):
                count += 1
                self.hasComplained = false
                self.worker.accepted(socket, address, listener: self.listener)
            case .wouldBlock: return
            case .failed(let error):
                // Of the system, not of this connection (EMFILE, ENFILE, ENOMEM): trying again at once would spin.
                return self.pause(because: error.reason)
            }
        }
    }

    private func pause(because reason: String) {
        guard self.registration != nil else { return }
        if !self.hasComplained {
            self.hasComplained = true
            self.worker.log.write(.warning, "accept-paused", reason: reason)
        }
        self.stopWatching()
        self.setTimer()
    }

    private func setTimer() {
        self.worker.loop.setTimer(&self.timer, at: self.worker.loop.now + Self.pause, self)
    }

    private func stopWatching() {
        if let registration = self.registration { self.worker.loop.remove(registration, self.descriptor) }
        self.registration = nil
    }
}
