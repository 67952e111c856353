internal import Admission
internal import Configuration
internal import Connections
internal import Observability
internal import Sessions
internal import System

/// What the session holds of the memory that is bounded.
extension Session: MemoryUser {
    /// What is queued for a leg takes so much more of memory.
    func queued(changedBy bytes: Int) {
        self.context.memory.change(.queued, by: bytes)
        self.noteHolding()
    }

    /// What is assembled is so much now.
    func assembles(_ bytes: Int) {
        guard bytes != self.memory.assembled else { return }
        self.context.memory.change(.assembled, by: bytes - self.memory.assembled)
        self.memory.assembled = bytes
        self.noteHolding()
    }

    /// The message in progress will still bring so much, as far as it is known.
    func promises(_ bytes: Int) {
        let promised = UInt32(clamping: min(bytes, self.context.memory.bound.mostPromised))
        guard promised != self.memory.promised else { return }
        self.context.memory.bound.promise(Int(promised) - Int(self.memory.promised))
        self.memory.promised = promised
    }

    /// Something came of the message, or the head, that is not whole.
    func madeProgress() { self.memory.madeProgress(at: self.loop.now) }

    /// What is held may be none any more, or some again.
    func noteHolding() {
        let queued = (self.client?.countedMemory ?? 0) + (self.backend?.countedMemory ?? 0)
        switch (queued + self.memory.assembled == 0, self.memory.place < 0) {
        case (false, true): self.context.memory.add(self)
        case (true, false): self.context.memory.remove(self)
        case (false, false), (true, true): break
        }
    }

    /// Whom it is reckoned with.
    var network: ClientNetwork { ClientNetwork(self.summary.client ?? self.clientAddress.ip, of: self.id) }

    /// How long the session may make no progress where others need the room.
    var patience: Duration { self.route?.settings.timeouts.close ?? Timeouts().close }

    func lookAtMemory() -> MemoryHolder {
        let now = self.loop.now
        let lastRead = self.client?.reading.lastRead(at: now) ?? now
        var idle = self.memory.idle(at: lastRead)
        var bytes = self.memory.assembled
        for leg in [Leg.client, .backend] {
            guard let connection = self.connection(leg), let since = connection.queuedSince else { continue }
            bytes += connection.queuedMemory
            // A slow peer takes what the kernel has for a while before the socket takes more.
            if now - since >= self.patience, connection.hasProgressed() { continue }
            idle = max(idle, now - since)
        }
        return MemoryHolder(
            session: self.id, network: self.network, bytes: bytes, promised: Int(self.memory.promised),
            isWaiting: self.conversation?.waitsToBegin ?? false, idle: idle, patience: self.patience)
    }

    /// Gives up what the session holds. What is queued is lost, and its connection aborted; a client that has nothing queued hears why.
    func giveWay() {
        self.logGivesWay(self.lookAtMemory())
        if self.isOpen { self.close(.byGateway(.memory)) } else { self.handle(.memoryNeeded) }
        for leg in [Leg.backend, .client] where self.connection(leg)?.queuedSince != nil {
            self.happened(.dismissed(leg))
        }
    }
}
