internal import Configuration
internal import Connections
internal import Observability
internal import Sessions
internal import System

/// The connection's part of the bounded memory: the request head, what came behind it, and the queue.
extension ClientConnection: MemoryUser {
    /// The memory of the queue grew by `bytes`, or shrank if that is negative.
    func queued(changedBy bytes: Int) {
        self.context.memory.change(.queued, by: bytes)
        self.noteHolding()
    }

    var account: MemoryAccount { self.context.memory }

    var queuedMemory: Int { (self.connection?.countedMemory ?? 0) + (self.relay?.backend?.countedMemory ?? 0) }

    /// The client that the memory counts for.
    var network: ClientNetwork { ClientNetwork(self.summary.client ?? self.address.ip, of: self.id) }

    /// How long the connection may be without progress while others need the memory.
    private var patience: Duration { self.route?.settings.timeouts.close ?? Timeouts().close }

    func lookAtMemory() -> MemoryHolder {
        let now = self.loop.now
        var idle = self.memory.idle(at: now)
        var bytes = self.memory.assembled
        for connection in [self.connection, self.relay?.backend] {
            guard let connection, let since = connection.queuedSince else { continue }
            bytes += connection.queuedMemory
            // A slow peer acknowledges the kernel's bytes for a while before its socket accepts more.
            if now - since < self.patience || !connection.hasProgressed() { idle = max(idle, now - since) }
        }
        return MemoryHolder(
            session: self.id, network: self.network, bytes: bytes, promised: 0, isWaiting: false, idle: idle,
            patience: self.patience)
    }

    func giveWay() {
        self.subject.givesWay(self.lookAtMemory(), self.context)
        self.freeMemory()
    }

    /// A connection with queued bytes is aborted; a client without any is told why.
    func freeMemory() {
        if let exchange = self.exchange { exchange.memoryNeeded() } else { self.handle(.memoryNeeded) }
        if self.connection?.queuedSince != nil { self.handle(.dismissed) }
    }
}
