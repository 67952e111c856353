public import System

/// Receives the connections of its acceptors.
public protocol AcceptorOwner: AnyObject {
    /// Whether one more connection may be accepted. Called before each.
    func room(for acceptor: Acceptor) -> Acceptor.Room

    /// A connection was accepted; the owner closes its socket.
    func accepted(_ descriptor: Int32, from address: SocketAddress, by acceptor: Acceptor)

    /// Accepting pauses. Called once in 10 seconds at most; `reason` is for the log.
    func paused(_ acceptor: Acceptor, because reason: String)
}

extension AcceptorOwner {
    /// Says nothing of the pause.
    public func paused(_ acceptor: Acceptor, because reason: String) {}
}

/// One listening socket on a loop. It accepts until the kernel has no more, and pauses when there is no room.
public final class Acceptor: ReadinessHandler, TimerHandler {
    /// Whether one more connection may be accepted.
    public enum Room {
        case free
        /// No: connections wait in the kernel's queue until the time given, or until `resume`.
        case none(until: MonotonicInstant, because: String)
    }

    private enum State {
        case watching(EventLoop.Registration)
        /// Not started, or paused until the timer fires.
        case pausing
        case closed
    }

    /// How many connections are accepted before other handlers on the loop get their turn.
    private static let batch = 64
    /// How long accepting pauses when the system has no descriptor.
    private static let pause = Duration.milliseconds(100)
    /// The owner is told of a pause once in this time at most.
    private static let complaintInterval = Duration.seconds(10)

    /// Identifies the acceptor if the owner has several.
    public let tag: Int
    /// The listening socket.
    public let descriptor: Int32

    private unowned let loop: EventLoop
    private unowned let owner: any AcceptorOwner
    private var state = State.pausing
    private var timer: EventLoop.TimerID?
    private var complained: MonotonicInstant?

    /// Accepts nothing before `start`.
    ///
    /// - Parameters:
    ///   - descriptor: a listening socket; the acceptor closes it.
    ///   - tag: identifies the acceptor if the owner has several.
    public init(_ descriptor: Int32, tag: Int = 0, on loop: EventLoop, for owner: any AcceptorOwner) {
        self.descriptor = descriptor
        self.tag = tag
        self.loop = loop
        self.owner = owner
    }

    /// Starts to accept. Throws if the loop cannot watch the socket.
    public func start() throws(SystemError) {
        guard case .pausing = self.state else { return }
        self.state = .watching(try self.loop.addReading(self.descriptor, exclusively: true, self))
        self.loop.cancelTimer(&self.timer)
    }

    /// There may be room again: ends a pause.
    public func resume() {
        do throws(SystemError) { try self.start() } catch { self.setTimer(at: self.loop.now + Self.pause) }
    }

    /// Stops for good.
    ///
    /// - Parameter acceptingAll: accept what waits in the kernel's queue first, as far as there is room, because closing the last listening
    ///   socket resets it. Pass `false` if another process has the same socket and accepts from it.
    public func close(acceptingAll: Bool) {
        if case .closed = self.state { return }
        if acceptingAll { self.accept(atMost: .max) }
        self.stopWatching(.closed)
        // Last, because accepting may have ended in a pause.
        self.loop.cancelTimer(&self.timer)
        Kernel.close(self.descriptor)
    }

    /// Accepts a batch of connections.
    public func ready(_ readiness: Readiness) { self.accept(atMost: Self.batch) }

    /// The pause is over.
    public func timerFired() {
        self.timer = nil
        self.resume()
    }

    private func accept(atMost limit: Int) {
        var count = 0
        while count < limit {
            // The owner may have closed the acceptor when it got the previous connection.
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
                // The system has a shortage (EMFILE, ENFILE, ENOMEM): trying again at once would spin.
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
