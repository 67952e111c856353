internal import Configuration
internal import Sessions
internal import System

/// What comes from the legs, and when nothing is taken from them: back-pressure.
extension Session {
    /// Reads from `leg` what is there and may be read, and passes it on, as long as the session's share of the turn lasts; once in any case.
    func pump(_ leg: Leg) {
        if let transport = self.transport(leg) { self.pump(transport) }
    }

    func pump(_ transport: Transport) {
        let leg = transport.leg
        if self.stages[leg] == .ended { return self.watchEnded(transport) }
        while transport.mayRead, !transport.isPaused, transport.isOpen {
            switch transport.receive() {
            case .bytes(let range):
                self.loop.budget.spend(Work.read + Work.bytes(range.count, tls: transport.tls != nil))
                self.received(range, from: leg)
            case .nothing: break
            case .end(let inOrder): return self.ended(transport, inOrder ? nil : Self.truncated)
            case .failed(let reason): return self.ended(transport, reason)
            }
            if self.loop.budget.isShareSpent { return self.readOnLater(transport) }
        }
    }

    private func readOnLater(_ transport: Transport) {
        if transport.mayRead, !transport.isPaused, transport.isOpen { transport.readAgainLater() }
    }

    private static let truncated = "the connection ended without a TLS close_notify"

    /// Passes on what was received, or drops it.
    func received(_ range: Range<Int>, from leg: Leg) {
        if self.phase == .closing { return self.receivedWhileClosing(range, from: leg) }
        self.conversation?.received(range, from: leg)
    }

    /// The peer's side of a connection is over.
    ///
    /// - Parameter failure: what went wrong; `nil`: it ended in order.
    private func ended(_ transport: Transport, _ failure: String?) {
        let leg = transport.leg
        self.stages[leg] = .ended
        guard let conversation = self.conversation else {
            return failure == nil && self.phase == .closing ? self.settle(transport) : self.closeLeg(leg)
        }
        // It may have ended because it has everything.
        if self.phase == .closing { self.noteDelivery(transport) }
        // Behind a Close nothing can be missing. But a reset that came right behind the end is not told again.
        let endedInOrder = failure == nil || (failure == Self.truncated && conversation.closing.hasClosed(leg))
        let failure = endedInOrder ? transport.resetReason() : failure
        conversation.happened(self.event(of: transport, failure), detail: failure)
        if self.phase == .closing { self.settle(transport) }
    }

    /// A connection whose peer had ended its side fails: it takes nothing more, either.
    private func watchEnded(_ transport: Transport) {
        guard let failure = transport.failure ?? transport.resetReason() else { return }
        self.conversation?.happened(self.event(of: transport, failure), detail: failure)
        self.closeLeg(transport.leg)
    }

    /// A connection that the kernel gave up, because its peer took nothing, has stalled; otherwise its peer has ended it, or is not there any
    /// more.
    private func event(of transport: Transport, _ failure: String?) -> ClosingHandshake.Event {
        let leg = transport.leg
        guard transport.hasStalled else { return .ended(leg, inOrder: failure == nil) }
        return self.phase == .closing ? .stalled(leg) : .lost(leg, .stalled(leg))
    }

    // MARK: - Back-pressure

    private var queueLimit: Int { self.route?.settings.limits.queue.rawValue ?? WorkerBuffers.readSize }

    /// Where reading from the other side stops: what one more read can add still fits the limit, and what is staged does. While memory is
    /// scarce one read is all that is queued.
    func isAboveHighWater(_ transport: Transport) -> Bool {
        let queued = transport.queuedBytes
        guard queued > 0 else { return false }
        return self.worker.memory.bound.isScarce
            || queued > max(0, self.queueLimit - WorkerBuffers.mostPerRead - SendBatch.mostBytes)
    }

    /// Where what was held back may go on.
    func isAboveLowWater(_ transport: Transport) -> Bool {
        let queued = transport.queuedBytes
        guard queued > 0 else { return false }
        return self.worker.memory.bound.isScarce || queued > max(0, self.queueLimit - WorkerBuffers.mostPerRead) / 2
    }

    /// Reads from `leg` again, if that had stopped.
    func resume(_ leg: Leg) {
        guard let transport = self.transport(leg), transport.isPaused, !self.isRefusingMore(leg) else { return }
        transport.resume()
        self.pump(leg)
    }

    func isOverQueueLimit(_ transport: Transport) -> Bool { transport.queuedBytes > self.queueLimit }
}
