internal import Configuration
internal import EventLoop

/// What comes from the legs, and when nothing is taken from them: back-pressure.
extension Session {
    /// After our end, at most this much is read and thrown away: closing with unread input makes a reset, which can eat the
    /// answer that was sent before it.
    private static let mostDiscarded = 1 << 20
    /// Reads from one leg in one turn, for fairness among the sessions of a worker.
    private static let readsPerTurn = 4

    /// Reads from `leg` what is there and may be read, and passes it on.
    func pump(_ leg: Leg) {
        if let transport = self.transport(leg) { self.pump(transport) }
    }

    func pump(_ transport: Transport) {
        let leg = transport.leg
        var reads = 0
        while transport.mayRead, !transport.isPaused, transport.isOpen {
            guard reads < Self.readsPerTurn else { return transport.readAgainLater() }
            reads += 1
            switch transport.receive() {
            case .bytes(let range): self.received(range, from: leg)
            case .nothing: break
            case .end(let inOrder):
                if inOrder, self.keepsOpen(leg) { return transport.leaveEndUnread() }
                self.ended(leg, failure: inOrder ? nil : "the connection ended without a TLS close_notify")
            case .failed(let reason): self.ended(leg, failure: reason)
            }
        }
    }

    /// Passes on what was received, or drops it.
    func received(_ range: Range<Int>, from leg: Leg) {
        switch self.stages[leg] {
        case .talking: self.conversation?.received(range, from: leg)
        case .lingering(let discarded):
            if discarded + range.count > Self.mostDiscarded { return self.closeLeg(leg) }
            self.stages[leg] = .lingering(discarded: discarded + range.count)
        case .absent, .closed: break
        }
    }

    /// Whether `leg`, whose peer has ended its own side in good order, still gets something: the answer to its Close, or the rest of
    /// what is queued and our close_notify (RFC 8446 section 6.1). Its end is found again after that.
    private func keepsOpen(_ leg: Leg) -> Bool {
        switch self.stages[leg] {
        case .talking: return self.conversation?.closing.owesAnswer(to: leg) ?? false
        case .lingering:
            guard let transport = self.transport(leg) else { return false }
            // With nothing left to say, closing it says so.
            if transport.tls == nil, transport.hasSentAll() { return false }
            transport.finish()
            return !transport.hasSentAll()
        case .absent, .closed: return false
        }
    }

    private func ended(_ leg: Leg, failure: String?) {
        switch self.stages[leg] {
        case .talking:
            guard let conversation = self.conversation else { return self.closeLeg(leg) }
            if let cause = self.transport(leg).flatMap({ self.stall(of: $0) }) {
                conversation.lost(leg, cause, failure: failure)
            } else {
                conversation.ended(leg, failure: failure)
            }
        case .lingering, .absent, .closed: self.closeLeg(leg)
        }
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
        guard let transport = self.transport(leg), transport.isPaused else { return }
        transport.resume()
        self.pump(leg)
    }

    func isOverQueueLimit(_ transport: Transport) -> Bool { transport.queuedBytes > self.queueLimit }
}
