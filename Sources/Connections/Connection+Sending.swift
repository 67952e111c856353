public import System
internal import TLS

/// Writing: to the socket at once, or with other small sends at the end of the turn. What the socket does not accept is queued.
extension Connection {
    /// Sends `bytes`: now as far as the socket accepts them, the rest when it can.
    public func send(_ bytes: Span<UInt8>) {
        guard self.state == .open else { return }
        if let tls = self.tls, self.writing.failure == nil {
            self.warmUp()
            if let error = tls.encrypt(bytes) { self.fail(.tls(error)) }
            self.sendCiphertext()
        } else {
            self.sendOrQueue(bytes)
        }
    }

    /// Sends bytes that many connections get: what the socket does not accept is shared, not copied.
    public func send(sharing shared: SharedBytes) {
        let bytes = shared.bytes
        guard self.tls == nil else { return self.send(bytes.span) }
        guard self.state == .open else { return }
        let sent = self.stageOrSend(bytes.span)
        guard sent < bytes.count else { return }
        self.beginQueuing()
        self.writing.append(sharing: shared, from: sent, at: self.context.loop.now)
        self.countQueue()
    }

    /// Sends bytes that need no encryption any more.
    func sendOrQueue(_ bytes: Span<UInt8>) {
        let sent = self.stageOrSend(bytes)
        if sent < bytes.count { self.append(bytes, from: sent) }
    }

    @inline(never)
    private func append(_ bytes: Span<UInt8>, from start: Int) {
        self.beginQueuing()
        // The copy may go into memory that the kernel first has to provide.
        self.context.loop.budget.spend(Work.queued(bytes.count - start))
        self.writing.append(bytes, from: start, at: self.context.loop.now)
        self.countQueue()
    }

    /// The most unsent bytes that the kernel accepts once the socket has not accepted everything: a slow peer's backlog then waits in our
    /// queue, where it is counted, and not in megabytes of the kernel's.
    private static let mostUnsent = 128 << 10

    /// What follows is queued.
    private func beginQueuing() {
        if self.writing.queuedEver == 0, self.isTCP { Kernel.limitUnsent(self.descriptor, to: Self.mostUnsent) }
    }

    /// Returns how many bytes the socket accepted, or will be given at the end of the turn. The rest has to be queued.
    private func stageOrSend(_ bytes: Span<UInt8>) -> Int {
        if self.writing.isStaged {
            if self.batch.extend(bytes, self) { return bytes.count }
            self.batch.flush()
        }
        guard self.writing.queuedCount == 0, !bytes.isEmpty, self.writing.failure == nil else { return 0 }
        self.writing.isStaged = self.batch.stage(bytes, for: self.descriptor, self)
        return self.writing.isStaged ? bytes.count : self.sendNow(bytes)
    }

    /// Sends staged bytes, before anything that must follow them.
    public func sendStaged() {
        if self.writing.isStaged { self.batch.flush() }
    }

    /// Called after a flush. `rest` was not accepted.
    public func sent(allBut rest: Span<UInt8>, failure: SystemError?) {
        self.writing.isStaged = false
        if let failure, self.writing.failure == nil { self.fail(self.note(failure)) }
        guard !rest.isEmpty else { return }
        let sent = self.sendNow(rest)
        if sent < rest.count { self.append(rest, from: sent) }
    }

    /// Returns how many bytes the socket accepted: none after a failure, which `receive` will report.
    private func sendNow(_ bytes: Span<UInt8>) -> Int {
        guard self.writing.failure == nil else { return 0 }
        var sent = 0
        while sent < bytes.count {
            switch Kernel.send(self.descriptor, bytes.extracting(sent..<bytes.count)) {
            case .sent(let count): sent += count
            case .wouldBlock: return sent
            case .failed(let error):
                self.fail(self.note(error))
                return sent
            }
        }
        return sent
    }

    /// The socket accepts bytes again.
    func flush() {
        guard self.writing.failure == nil else { return }
        var queue = self.writing.takeQueue()
        let count = queue.count
        queue.flush { self.sendNow($0) }
        self.context.loop.budget.spend(Work.send + Work.bytes(count - queue.count, tls: false))
        self.writing.putBack(queue, of: count, at: self.context.loop.now)
        self.countQueue()
        guard self.writing.untaken == 0 else { return }
        if self.state == .shuttingDown { self.endWriting() }
    }
}
