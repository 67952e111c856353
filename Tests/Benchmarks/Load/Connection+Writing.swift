internal import System
internal import TLS
internal import WebSocketProtocol

extension Connection {
    /// Sends the message, `times` times.
    func sendMessage(times: Int = 1) {
        guard let message = self.message else { return }
        self.unsent += times * message.frameLength
        self.flush()
    }

    /// Sends a control frame after the frame in progress.
    func sendControl(_ opcode: Opcode, _ payload: [UInt8]) {
        let key = MaskingKey(bits: UInt32(truncatingIfNeeded: self.client.random.next()))
        if let message = self.message, self.offset > 0 {
            self.pending += message.frames[self.offset..<message.frameLength]
            self.unsent -= message.frameLength - self.offset
            self.offset = 0
        }
        self.send(Frame.encoded(opcode, payload: payload.span, maskingKey: key).span)
    }

    /// Sends plain bytes after those that are pending.
    func send(_ bytes: Span<UInt8>) {
        if let tls = self.tls {
            if let error = tls.encrypt(bytes) { return self.over("\(error)") }
            self.sendCiphertext()
        } else {
            self.sendOrKeep(bytes)
        }
    }

    /// Sends libssl's output.
    func sendCiphertext() {
        self.client.tlsIO.drainOutput { self.sendOrKeep($0) }
    }

    private func sendOrKeep(_ bytes: Span<UInt8>) {
        let sent = self.pending.isEmpty ? self.sendNow(bytes) : 0
        if sent < bytes.count { self.pending.append(bytes.extracting(sent..<bytes.count)) }
    }

    /// Sends what waits, as far as the socket accepts it.
    func flush() {
        if !self.pending.isEmpty {
            let pending = self.pending
            self.pendingStart += self.sendNow(pending.span.extracting(self.pendingStart..<pending.count))
            guard self.pendingStart == self.pending.count else { return }
            self.pending.removeAll()
            self.pendingStart = 0
        }
        guard self.unsent > 0, let message = self.message else { return }
        if let tls = self.tls {
            self.flush(message, through: tls)
        } else {
            self.flush(message)
        }
    }

    private func flush(_ message: Message) {
        let frames = message.frames
        while self.unsent > 0 {
            let end = min(self.offset + self.unsent, frames.count)
            let due = end - self.offset
            let sent = self.sendNow(frames.span.extracting(self.offset..<end))
            self.unsent -= sent
            self.offset = (self.offset + sent) % message.frameLength
            guard sent == due else { return }
        }
    }

    /// Sends whole frames only, so `offset` stays 0.
    private func flush(_ message: Message, through tls: TLSConnection) {
        let frames = message.frames
        while self.unsent > 0, self.pending.isEmpty {
            let count = min(self.unsent, frames.count)
            self.unsent -= count
            self.send(frames.span.extracting(0..<count))
        }
    }

    /// How many bytes the socket accepts now. A failure counts as all: reading will report it.
    private func sendNow(_ bytes: Span<UInt8>) -> Int {
        var sent = 0
        while sent < bytes.count {
            switch Kernel.send(self.descriptor, bytes.extracting(sent..<bytes.count)) {
            case .sent(let count): sent += count
            case .wouldBlock: return sent
            case .failed: return bytes.count
            }
        }
        return sent
    }
}
