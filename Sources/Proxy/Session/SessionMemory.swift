internal import Configuration
internal import EventLoop

/// What a session holds of the memory that is bounded, and since when it makes no progress with it.
struct SessionMemory {
    /// Queued for both legs, in bytes, what it shares with others included.
    fileprivate(set) var queued = 0
    /// Of a message, or a head, that is not whole.
    fileprivate(set) var assembled = 0
    /// What the message will still bring, as far as it was promised to the others.
    fileprivate(set) var promised = 0
    /// The message waits for room to be begun.
    var isWaiting = false
    /// When something of that came last, by the time for which the client was read.
    fileprivate(set) var progress = MonotonicInstant(nanoseconds: 0)
    /// Where it stands among its worker's sessions that hold something; negative: it is none.
    var place: Int32 = -1

    fileprivate var holdsNothing: Bool { self.queued == 0 && self.assembled == 0 }
}

extension Session {
    /// What is queued for a leg has changed by so much.
    ///
    /// - Parameter own: the part that it shares with nobody.
    func queued(changedBy bytes: Int, own: Int) {
        self.memory.queued += bytes
        self.worker.memory.change(.queued, by: own)
        self.noteHolding()
    }

    /// What is assembled is so much now.
    func assembles(_ bytes: Int) {
        guard bytes != self.memory.assembled else { return }
        self.worker.memory.change(.assembled, by: bytes - self.memory.assembled)
        self.memory.assembled = bytes
        self.noteHolding()
    }

    /// The message in progress will still bring so much, as far as it is known.
    func promises(_ bytes: Int) {
        let bytes = min(bytes, self.worker.memory.bound.mostPromised)
        guard bytes != self.memory.promised else { return }
        self.worker.memory.bound.promise(bytes - self.memory.promised)
        self.memory.promised = bytes
    }

    /// Something came of the message, or the head, that is not whole.
    func madeProgress() { self.memory.progress = self.readTime }

    private func noteHolding() {
        switch (self.memory.holdsNothing, self.memory.place < 0) {
        case (false, true): self.worker.memory.add(self)
        case (true, false): self.worker.memory.remove(self)
        case (false, false), (true, true): break
        }
    }

    /// Stands still while the client is not read.
    private var readTime: MonotonicInstant {
        self.client?.reading.time(at: self.worker.loop.now) ?? self.worker.loop.now
    }

    /// Whom it is reckoned with.
    var network: ClientNetwork { ClientNetwork(self.summary.client ?? self.clientAddress.ip, of: self.id) }

    /// How long the session may make no progress where others need the room.
    var patience: Duration { self.route?.settings.timeouts.close ?? Timeouts().close }

    var memoryHolder: MemoryHolder {
        let now = self.worker.loop.now
        var idle = self.memory.assembled > 0 ? self.readTime - self.memory.progress : .zero
        for leg in [Leg.client, .backend] {
            guard let transport = self.transport(leg), let since = transport.queuedSince else { continue }
            // A slow peer takes what the kernel has for a while before the socket takes more.
            if now - since >= self.patience, transport.hasProgressed() { continue }
            idle = max(idle, now - since)
        }
        return MemoryHolder(
            session: self.id, network: self.network, bytes: self.memory.queued + self.memory.assembled,
            promised: self.memory.promised, isWaiting: self.memory.isWaiting, idle: idle, patience: self.patience)
    }

    /// Gives up what the session holds. What is queued is lost, and its connection aborted; a client that has nothing queued hears why.
    func giveWay() {
        self.logGivesWay(self.memoryHolder)
        switch self.phase {
        case .tlsHandshake, .closing, .closed: break
        case .requestHead, .connect, .backendHandshake: self.refuse(.outOfMemory)
        case .relay, .bridge, .serve: self.conversation?.close(.byGateway(.memory))
        }
        for leg in [Leg.backend, .client] where self.transport(leg)?.queuedSince != nil {
            self.end(leg, as: .abort)
        }
    }
}
