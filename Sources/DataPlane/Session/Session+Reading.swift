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
        if self.closing != nil, self.machine.closing.hasEnded(leg) { return self.watchEnded(connection) }
        while connection.mayRead, !connection.isPaused, connection.isOpen {
            switch connection.receive(atMost: self.context.memory.readSize) {
            case .bytes(let range):
                if connection.tookBytes { self.heard(leg) }
                self.loop.budget.spend(Work.read + Work.bytes(range.count, tls: connection.tls != nil))
                self.received(range, from: leg)
            case .incomplete: self.heard(leg)
            case .nothing: break
            case .end(let inOrder):
                return self.ended(connection, inOrder ? .inOrder : .truncated, inOrder ? nil : .truncated)
            case .failed(let failure): return self.ended(connection, .failed, failure)
            }
            if self.loop.budget.isShareSpent { return self.readOnLater(connection) }
        }
    }

    private func readOnLater(_ connection: Connection) {
        if connection.mayRead, !connection.isPaused, connection.isOpen { connection.readAgainLater() }
    }

    /// Passes on what was received, or drops it.
    func received(_ range: Range<Int>, from leg: Leg) {
        if self.closing != nil { return self.receivedWhileClosing(range, from: leg) }
        self.conversation?.received(range, from: leg)
    }

    /// The peer's side of a connection is over.
    ///
    /// - Parameter failure: what went wrong; `nil`: nothing that the connection knows of.
    private func ended(_ connection: Connection, _ end: ConnectionEnd, _ failure: ConnectionFailure?) {
        let leg = connection.leg
        // It may have ended because it has everything.
        if self.closing != nil { self.noteDelivery(connection) }
        var end = end
        var failure = failure
        // A reset that came right behind an end in order is not told again.
        if end == .inOrder || end == .truncated && self.machine.closing.hasClosed(leg),
            let reset = connection.takeFailure()
        {
            end = .failed
            failure = reset
        }
        self.tell(connection, end, failure)
        if self.closing != nil { self.settle(connection) }
    }

    /// A connection whose peer had ended its side fails: it takes nothing more, either.
    private func watchEnded(_ connection: Connection) {
        guard let failure = connection.failure ?? connection.takeFailure() else { return }
        self.tell(connection, .failed, failure)
        self.closeLeg(connection.leg)
    }

    /// A connection that the kernel ended, because its peer took nothing, has stalled; otherwise its peer has ended it, or is not there any
    /// more.
    private func tell(_ connection: Connection, _ end: ConnectionEnd, _ failure: ConnectionFailure?) {
        let leg = connection.leg
        self.happened(connection.hasStalled ? .stalled(leg) : .ended(leg, end), detail: failure?.description)
    }

    // MARK: - Back-pressure

    private var queueLimit: Int { self.route?.settings.limits.queue.rawValue ?? ConnectionBuffers.readSize }

    /// Where reading from the other side stops: what one more read can add still fits the limit, and what is staged does. While memory is
    /// scarce one read is all that is queued.
    func isAboveHighWater(_ connection: Connection) -> Bool {
        let queued = connection.queuedBytes
        guard queued > 0 else { return false }
        return self.context.memory.bound.isScarce
            || queued > max(0, self.queueLimit - ConnectionBuffers.mostPerRead - SendBatch.mostBytes)
    }

    /// Where what was held back may go on.
    func isAboveLowWater(_ connection: Connection) -> Bool {
        let queued = connection.queuedBytes
        guard queued > 0 else { return false }
        return self.context.memory.bound.isScarce
            || queued > max(0, self.queueLimit - ConnectionBuffers.mostPerRead) / 2
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
