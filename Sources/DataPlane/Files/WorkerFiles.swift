internal import System

/// A worker's part in serving files: its calls on the threads, their results, and the files that it needs no more.
final class WorkerFiles: TimerHandler {
    let calls: BlockingCalls
    let folders: Folders
    private let loop: EventLoop
    /// A thread will be the last to let go of these.
    private var old: [OpenFile] = []
    private var timer: EventLoop.TimerID?

    /// How many a thread gets at a time, and how long it may take until then: one by one, each would cost a switch of threads. More would
    /// take descriptors that connections need.
    private static let enough = 16
    private static let longest = Duration.milliseconds(10)

    /// Throws if the system has no descriptor for the results.
    init(_ service: FileService, on loop: EventLoop) throws(SystemError) {
        self.calls = try BlockingCalls(on: loop, by: service.threads)
        self.folders = service.folders
        self.loop = loop
    }

    /// Has a thread close a file soon: closing one that was deleted meanwhile frees its blocks, which may block. Until `makeRoom` or the next
    /// turn it may still be used.
    func letGo(of file: OpenFile) {
        if self.old.last !== file { self.old.append(file) }
        if self.timer == nil { self.loop.setTimer(&self.timer, at: self.loop.now + Self.longest, self) }
    }

    /// Has a thread close files now if there are enough of them. None of them is in use here.
    func makeRoom() {
        if self.old.count >= Self.enough { self.letGo() }
    }

    func timerFired() {
        self.timer = nil
        self.letGo()
    }

    private func letGo() {
        let old = self.old
        self.old = []
        // Without a thread they are closed here: that is better than to keep them.
        try? self.calls.make({ withExtendedLifetime(old) {} }, then: { _ in })
    }
}
