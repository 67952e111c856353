internal import Admission
internal import Configuration
internal import Connections
internal import Observability
internal import Sessions
internal import System

/// The session's part of the bounded memory.
extension Session: MemoryUser {
    /// The memory of a leg's queue grew by `bytes`, or shrank if that is negative.
    func queued(changedBy bytes: Int) {
        self.context.memory.change(.queued, by: bytes)
        self.noteHolding()
    }

    /// The message in progress will still need `bytes`, as far as known.
    func promises(_ bytes: Int) {
        let promised = UInt32(clamping: min(bytes, self.context.memory.bound.mostPromised))
        guard promised != self.memory.promised else { return }
        self.context.memory.bound.promise(Int(promised) - Int(self.memory.promised))
        self.memory.promised = promised
    }

    /// Of the client's messages `bytes` wait for the rates of the route.
    func keepsWaiting(_ bytes: Int) {
        guard bytes != Int(self.memory.waiting) else { return }
        self.context.memory.change(.queued, by: bytes - Int(self.memory.waiting))
        self.memory.waiting = UInt32(clamping: bytes)
        self.noteHolding()
    }

    /// Bytes of the incomplete message came.
    func madeProgress() { self.memory.madeProgress(at: self.loop.now) }

    var account: MemoryAccount { self.context.memory }

    var queuedMemory: Int {
        (self.client?.countedMemory ?? 0) + (self.backend?.countedMemory ?? 0) + Int(self.memory.waiting)
    }

    /// The client that the memory counts for.
    var network: ClientNetwork { ClientNetwork(self.summary.client ?? self.clientAddress.ip, of: self.id) }

    /// How long the session may be without progress while others need the memory.
    var patience: Duration { self.route?.settings.timeouts.close ?? Timeouts().close }

    func lookAtMemory() -> MemoryHolder {
        let now = self.loop.now
        let lastRead = self.client?.reading.lastRead(at: now) ?? now
        var idle = self.memory.idle(at: lastRead)
        var bytes = self.memory.assembled + Int(self.memory.waiting)
        for leg in [Leg.client, .backend] {
            guard let connection = self.connection(leg), let since = connection.queuedSince else { continue }
            bytes += connection.queuedMemory
            // A slow peer acknowledges the kernel's bytes for a while before its socket accepts more.
            if now - since >= self.patience, connection.hasProgressed() { continue }
            idle = max(idle, now - since)
        }
        return MemoryHolder(
            session: self.id, network: self.network, bytes: bytes, promised: Int(self.memory.promised),
            isWaiting: self.conversation?.waitsToBegin ?? false, idle: idle, patience: self.patience)
    }

    /// Ends the session to free its memory. A connection with queued bytes is aborted; a client without any is told why.
    func giveWay() {
        self.subject.givesWay(self.lookAtMemory(), self.context)
        if let client = self.opening?.client { return client.freeMemory() }
        self.close(.byGateway(.memory))
        for leg in [Leg.backend, .client] where self.connection(leg)?.queuedSince != nil {
            self.happened(.dismissed(leg))
        }
    }
}
