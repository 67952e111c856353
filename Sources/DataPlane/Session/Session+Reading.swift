internal import Configuration
internal import Connections
internal import Sessions
internal import System

/// The end of a leg's bytes, and back-pressure.
extension Session {
    func ended(_ connection: Connection, inOrder: Bool) {
        // The peer may have ended because it has everything.
        if self.closing != nil { self.noteDelivery(connection) }
        let hasClosed = self.machine.closing.hasClosed(connection.leg)
        let (end, failure) = connection.end(inOrder: inOrder, hasClosed: hasClosed)
        self.tell(connection, end, failure)
        if self.closing != nil { self.settle(connection) }
    }

    func failed(_ connection: Connection, _ failure: ConnectionFailure) {
        if self.closing != nil { self.noteDelivery(connection) }
        self.tell(connection, .failed, failure)
        if self.closing != nil { self.settle(connection) }
    }

    /// The peer had ended its side and now the connection fails: it accepts nothing more.
    func watchEnded(_ connection: Connection) {
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

    /// Whether the side that sends to `connection` must not be read.
    func isAboveHighWater(_ connection: Connection) -> Bool {
        connection.isAboveHighWater(of: self.queueLimit, self.context.memory.bound)
    }

    func isAboveLowWater(_ connection: Connection) -> Bool {
        connection.isAboveLowWater(of: self.queueLimit, self.context.memory.bound)
    }

    /// Reads from `leg` again if reading was stopped.
    func resume(_ leg: Leg) {
        guard let connection = self.connection(leg), connection.isPaused, !self.isRefusingMore(leg) else { return }
        if leg == .client, let conversation = self.conversation, !conversation.goOn() { return }
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

    /// - Parameter more: bytes that wait beside the connection's queue.
    func isOverQueueLimit(_ connection: Connection, besides more: Int) -> Bool {
        connection.queuedBytes + more > self.queueLimit
    }

    /// How many bytes may wait beside the connection's queue. While memory is scarce, one read.
    func queueRoom(_ connection: Connection) -> Int {
        let limit =
            self.context.memory.bound.isScarce ? min(self.queueLimit, ConnectionBuffers.readSize) : self.queueLimit
        return max(0, limit - connection.queuedBytes)
    }
}
