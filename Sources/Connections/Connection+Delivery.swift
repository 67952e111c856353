internal import System

/// What the kernel does for the connection, and what it knows of the peer.
extension Connection {
    // MARK: - Options

    /// Sets TCP_NODELAY: the kernel does not delay small sends.
    public func sendAtOnce() { Kernel.sendAtOnce(self.descriptor) }

    /// Sets TCP_USER_TIMEOUT: the kernel ends the connection when the peer acknowledges nothing of what was sent, or accepts nothing, for
    /// `timeout`. `nil` restores the kernel's default. Does nothing on a Unix socket.
    public func setUserTimeout(_ timeout: Duration?) {
        if self.isTCP { Kernel.setUserTimeout(self.descriptor, timeout) }
    }

    /// Turns TCP keepalive on: after `idle` seconds of silence the kernel probes the peer every `interval` seconds, and ends the
    /// connection after `count` unanswered probes. Does nothing on a Unix socket.
    public func keepAlive(idle: Int32, interval: Int32, count: Int32) {
        if self.isTCP { Kernel.keepAlive(self.descriptor, idle: idle, interval: interval, count: count) }
    }

    /// Turns TCP keepalive off.
    public func endKeepAlive() {
        if self.isTCP { Kernel.endKeepAlive(self.descriptor) }
    }

    // MARK: - Delivery

    /// How many bytes the peer has not acknowledged: those in our queue, in the kernel's, and those that will never be sent. On a Unix
    /// socket, what the kernel has accepted counts as delivered.
    public var undelivered: Int {
        guard self.isOpen, self.isTCP else { return self.writing.untaken }
        let unacknowledged = Kernel.unacknowledged(self.descriptor)
        // Our FIN counts as a byte.
        let isEnd = self.state == .shutDown && unacknowledged > 0
        return self.writing.untaken + unacknowledged - (isEnd ? 1 : 0)
    }

    /// A count that grows when the peer acknowledges bytes. Only comparing it with an earlier one means something.
    public var acknowledged: UInt64 {
        self.isTCP ? Kernel.acknowledged(self.descriptor) : self.writing.takenEver
    }

    /// Whether the peer has acknowledged bytes since the last call. If so, `queuedSince` starts anew, although the socket accepted none.
    public func hasProgressed() -> Bool {
        self.isTCP && self.writing.hasProgressed(self.acknowledged, at: self.context.loop.now)
    }

    /// Whether the kernel ended the connection while bytes or our FIN were unacknowledged. Otherwise its keepalive probes were unanswered.
    public var hasStalled: Bool {
        self.isEndedByKernel && (self.writing.untaken > 0 || Kernel.unacknowledged(self.descriptor) > 0)
    }
}
