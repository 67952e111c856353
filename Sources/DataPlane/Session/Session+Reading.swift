internal import Configuration
internal import Connections
internal import Sessions
internal import System

/// Reading from the legs, and back-pressure.
extension Session {
    /// Reads what is there from `leg` and passes it on, as long as the session's share of the turn lasts, but at least once.
    func pump(_ leg: Leg) {
        if let connection = self.connection(leg) { self.pump(connection) }
    }

    func pump(_ connection: Connection) {
        let leg = connection.leg
        if self.closing != nil, self.machine.closing.hasEnded(leg) { return self.watchEnded(connection) }
        while connection.mayRead, !connection.isPaused, connection.isOpen {
            switch connection.receive(atMost: self.context.memory.readSize) {
            case .bytes(let range):
                self.heard(connection)
                self.loop.budget.spend(Work.read + Work.bytes(range.count, tls: connection.tls != nil))
                self.received(range, from: leg)
            case .incomplete: self.heard(connection)
            case .nothing: break
            case .end(let inOrder):
                return self.ended(connection, inOrder: inOrder)
            case .failed(let failure): return self.failed(connection, failure)
            }
            if self.loop.budget.isShareSpent { return self.readOnLater(connection) }
        }
    }

    private func readOnLater(_ connection: Connection) {
        if connection.mayRead, !connection.isPaused, connection.isOpen { connection.readAgainLater() }
    }

    /// Passes on what was received, or discards it.
    func received(_ range: Range<Int>, from leg: Leg) {
        if self.closing != nil { return self.receivedWhileClosing(range, from: leg) }
        self.conversation?.received(range, from: leg)
    }

    private func ended(_ connection: Connection, inOrder: Bool) {
        // The peer may have ended because it has everything.
        if self.closing != nil { self.noteDelivery(connection) }
        let hasClosed = self.machine.closing.hasClosed(connection.leg)
        let (end, failure) = connection.end(inOrder: inOrder, hasClosed: hasClosed)
        self.tell(connection, end, failure)
        if self.closing != nil { self.settle(connection) }
    }

    private func failed(_ connection: Connection, _ failure: ConnectionFailure) {
        if self.closing != nil { self.noteDelivery(connection) }
        self.tell(connection, .failed, failure)
        if self.closing != nil { self.settle(connection) }
    }

    /// The peer had ended its side and now the connection fails: it accepts nothing more.
    private func watchEnded(_ connection: Connection) {
        guard let failure = connection.failure ?? connection.takeFailure() else { return }
        self.tell(connection, .failed, failure)
        self.closeLeg(connection.leg)
    }

    /// Tells the closing handshake. A connection that the kernel ended because its peer accepted nothing has stalled; any other has ended.
    private func tell(_ connection: Connection, _ end: ConnectionEnd, _ failure: ConnectionFailure?) {
        let leg = connection.leg
        self.happened(connection.hasStalled ? .stalled(leg) : .ended(leg, end), detail: failure?.description)
    }

    // MARK: - Back-pressure

    private var queueLimit: Int { self.route?.settings.limits.queue.rawValue ?? ConnectionBuffers.readSize }

    /// Stop reading the other side here: one more read plus a staged send must still fit. While memory is scarce, only one read is queued.
    func isAboveHighWater(_ connection: Connection) -> Bool {
        let queued = connection.queuedBytes
        guard queued > 0 else { return false }
        return self.context.memory.bound.isScarce
            || queued > max(0, self.queueLimit - ConnectionBuffers.mostPerRead - SendBatch.mostBytes)
    }

    /// While this is true, the other side stays held back.
    func isAboveLowWater(_ connection: Connection) -> Bool {
        let queued = connection.queuedBytes
        guard queued > 0 else { return false }
        return self.context.memory.bound.isScarce
            || queued > max(0, self.queueLimit - ConnectionBuffers.mostPerRead) / 2
    }

    /// Reads from `leg` again if reading was stopped.
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
