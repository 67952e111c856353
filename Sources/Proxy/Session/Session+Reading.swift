internal import Configuration
internal import Connections
internal import Sessions
internal import System

/// What comes from the legs, and when nothing is taken from them: back-pressure.
extension Session {
    /// Reads from `leg` what is there and may be read, and passes it on, as long as the session's share of the turn lasts; once in any case.
    func pump(_ leg: Leg) {
        if let connection = self.connection(leg) { self.pump(connection) }
    }

    func pump(_ connection: Connection) {
        let leg = connection.leg
        if self.stages[leg] == .ended { return self.watchEnded(connection) }
        while connection.mayRead, !connection.isPaused, connection.isOpen {
            switch connection.receive(atMost: self.worker.memory.readSize) {
            case .bytes(let range):
                self.heard(leg)
                self.loop.budget.spend(Work.read + Work.bytes(range.count, tls: connection.tls != nil))
                self.received(range, from: leg)
            case .incomplete: self.heard(leg)
            case .nothing: break
            case .end(let inOrder): return self.ended(connection, inOrder ? nil : .truncated)
            case .failed(let failure): return self.ended(connection, failure)
            }
            if self.loop.budget.isShareSpent { return self.readOnLater(connection) }
        }
    }

    private func readOnLater(_ connection: Connection) {
        if connection.mayRead, !connection.isPaused, connection.isOpen { connection.readAgainLater() }
    }

    /// Passes on what was received, or drops it.
    func received(_ range: Range<Int>, from leg: Leg) {
        if self.phase == .closing { return self.receivedWhileClosing(range, from: leg) }
        self.conversation?.received(range, from: leg)
    }

    /// The peer's side of a connection is over.
    ///
    /// - Parameter failure: what went wrong; `nil`: it ended in order.
    private func ended(_ connection: Connection, _ failure: ConnectionFailure?) {
        let leg = connection.leg
        self.stages[leg] = .ended
        guard let conversation = self.conversation else {
            return failure == nil && self.phase == .closing ? self.settle(connection) : self.closeLeg(leg)
        }
        // It may have ended because it has everything.
        if self.phase == .closing { self.noteDelivery(connection) }
        // Behind a Close nothing can be missing. But a reset that came right behind the end is not told again.
        let endedInOrder = failure == nil || (failure == .truncated && conversation.closing.hasClosed(leg))
        let failure = endedInOrder ? connection.takeFailure() : failure
        conversation.happened(self.event(of: connection, failure), detail: failure?.description)
        if self.phase == .closing { self.settle(connection) }
    }

    /// A connection whose peer had ended its side fails: it takes nothing more, either.
    private func watchEnded(_ connection: Connection) {
        guard let failure = connection.failure ?? connection.takeFailure() else { return }
        self.conversation?.happened(self.event(of: connection, failure), detail: failure.description)
        self.closeLeg(connection.leg)
    }

    /// A connection that the kernel gave up, because its peer took nothing, has stalled; otherwise its peer has ended it, or is not there any
    /// more.
    private func event(of connection: Connection, _ failure: ConnectionFailure?) -> ClosingHandshake.Event {
        let leg = connection.leg
        guard connection.hasStalled else { return .ended(leg, inOrder: failure == nil) }
        return self.phase == .closing ? .stalled(leg) : .lost(leg, .stalled(leg))
    }

    // MARK: - Back-pressure

    private var queueLimit: Int { self.route?.settings.limits.queue.rawValue ?? ConnectionBuffers.readSize }

    /// Where reading from the other side stops: what one more read can add still fits the limit, and what is staged does. While memory is
    /// scarce one read is all that is queued.
    func isAboveHighWater(_ connection: Connection) -> Bool {
        let queued = connection.queuedBytes
        guard queued > 0 else { return false }
        return self.worker.memory.bound.isScarce
            || queued > max(0, self.queueLimit - ConnectionBuffers.mostPerRead - SendBatch.mostBytes)
    }

    /// Where what was held back may go on.
    func isAboveLowWater(_ connection: Connection) -> Bool {
        let queued = connection.queuedBytes
        guard queued > 0 else { return false }
        return self.worker.memory.bound.isScarce || queued > max(0, self.queueLimit - ConnectionBuffers.mostPerRead) / 2
    }

    /// Reads from `leg` again, if that had stopped.
    func resume(_ leg: Leg) {
        guard let connection = self.connection(leg), connection.isPaused, !self.isRefusingMore(leg) else { return }
        self.resume(connection)
        self.pump(leg)
    }

    /// Nothing holds the connection back any more.
    func resume(_ connection: Connection) {
        guard connection.isPaused else { return }
        let pause = connection.resume()
        if connection.leg == .client { self.memory.resumed(afterPause: pause) }
        self.legs[connection.leg].heartbeat.resumed(at: self.loop.now)
    }

    func isOverQueueLimit(_ connection: Connection) -> Bool { connection.queuedBytes > self.queueLimit }
}
