public import System

/// What connections are accepted for.
public protocol AcceptorOwner: AnyObject {
    /// Whether there is room for one more. It is asked before each.
    func room(for acceptor: Acceptor) -> Acceptor.Room

    /// A connection was accepted, and its socket is the owner's.
    func accepted(_ descriptor: Int32, from address: SocketAddress, by acceptor: Acceptor)

    /// No more are accepted for now.
    func paused(_ acceptor: Acceptor, because reason: String)
}

extension AcceptorOwner {
    public func paused(_ acceptor: Acceptor, because reason: String) {}
}

/// One listening socket on a loop: accepts until the kernel has no more, and pauses when there is no room left.
public final class Acceptor: ReadinessHandler, TimerHandler {
    /// Whether one more connection may be accepted.
    public enum Room {
        case free
        /// It waits in the kernel's queue until then, or until `resume`.
        case none(until: MonotonicInstant, because: String)
    }

    private enum State {
        case watching(EventLoop.Registration)
        /// Until the timer fires.
        case pausing
        case closed
    }

    /// The most connections accepted before others on the loop get their turn.
    private static let batch = 64
    /// How long accepting pauses where the system has no descriptor.
    private static let pause = Duration.milliseconds(100)
    /// Pauses that follow each other are one complaint for so long.
    private static let complaintInterval = Duration.seconds(10)

    /// What the owner calls it, where it has several.
    public let tag: Int
    /// The socket that it listens at.
    public let descriptor: Int32

    private unowned let loop: EventLoop
    private unowned let owner: any AcceptorOwner
    private var state = State.pausing
    private var timer: EventLoop.TimerID?
    private var complained: MonotonicInstant?

    /// Does nothing before `start`.
    ///
    /// - Parameters:
    ///   - descriptor: a listening socket, which it closes.
    ///   - tag: what the owner calls it, where it has several.
    public init(_ descriptor: Int32, tag: Int = 0, on loop: EventLoop, for owner: any AcceptorOwner) {
        self.descriptor = descriptor
        self.tag = tag
        self.loop = loop
        self.owner = owner
    }

    /// Begins to accept.
    public func start() throws(SystemError) {
        guard case .pausing = self.state else { return }
        self.state = .watching(try self.loop.addReading(self.descriptor, exclusively: true, self))
        self.loop.cancelTimer(&self.timer)
    }

    /// There may be room again.
    public func resume() {
        do throws(SystemError) { try self.start() } catch { self.setTimer(at: self.loop.now + Self.pause) }
    }

    /// Stops for good.
    ///
    /// - Parameter acceptingAll: what waits in the queue is accepted first, as far as there is room: closing a listening socket resets it.
    ///   Not where another process has the same socket, and takes what waits.
    public func close(acceptingAll: Bool) {
        if case .closed = self.state { return }
        if acceptingAll { self.accept(atMost: .max) }
        self.stopWatching(.closed)
        // Last, because accepting may have ended in a pause.
        self.loop.cancelTimer(&self.timer)
        Kernel.close(self.descriptor)
    }

    public func ready(_ readiness: Readiness) { self.accept(atMost: Self.batch) }

    public func timerFired() {
        self.timer = nil
        self.resume()
    }

    private func accept(atMost limit: Int) {
        var count = 0
        while count < limit {
            // The owner may have closed it for what was accepted before.
            if case .closed = self.state { return }
            if case .none(let time, let reason) = self.owner.room(for: self) {
                return self.pause(until: time, because: reason)
            }
            switch Kernel.accept(self.descriptor) {
            case .accepted(let socket, let address):
                count += 1
                self.owner.accepted(socket, from: address, by: self)
            case .wouldBlock: return
            case .failed(let error):
                // Of the system, not of this connection (EMFILE, ENFILE, ENOMEM): trying again at once would spin.
                return self.pause(until: self.loop.now + Self.pause, because: error.reason)
            }
        }
    }

    private func pause(until time: MonotonicInstant, because reason: String) {
        guard case .watching = self.state else { return }
        let now = self.loop.now
        if self.complained.map({ $0 + Self.complaintInterval <= now }) ?? true {
            self.complained = now
            self.owner.paused(self, because: reason)
        }
        self.stopWatching(.pausing)
        self.setTimer(at: time)
    }

    private func setTimer(at time: MonotonicInstant) { self.loop.setTimer(&self.timer, at: time, self) }

    private func stopWatching(_ next: State) {
        if case .watching(let registration) = self.state { self.loop.remove(registration, self.descriptor) }
        self.state = next
    }
}
