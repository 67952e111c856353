internal import System
internal import TLS
internal import WebSocketProtocol

extension Connection {
    /// Reads what there is.
    ///
    /// - Parameter toTheEnd: go on after a read that does not fill the buffer, because the end follows.
    func read(toTheEnd: Bool) {
        while self.phase != .closed {
            let buffer = self.tls == nil ? self.client.plaintext : self.client.ciphertext
            let start = self.tls == nil ? Client.headroom : 0
            var room = buffer.mutableSpan
            var free = room._mutatingExtracting(start..<start + Client.readSize)
            switch Kernel.receive(self.descriptor, into: &free) {
            case .bytes(let count, let filled):
                if let tls = self.tls {
                    self.take(count, through: tls)
                } else {
                    self.take(start..<start + count)
                }
                if !filled && !toTheEnd { return }
            case .wouldBlock: return
            case .end: return self.over("the server closed the connection")
            case .failed(let error): return self.over("\(error)")
            }
        }
    }

    /// Takes `count` bytes of ciphertext.
    private func take(_ count: Int, through tls: TLSConnection) {
        let input = self.client.ciphertext
        let ciphertext = input.span
        let plaintext = self.client.plaintext
        var fresh = 0..<count
        if self.phase == .securing {
            let result = tls.handshake(ciphertext.extracting(fresh))
            self.sendCiphertext()
            switch result {
            case .wantsRead: return
            case .failed(let error): return self.over("\(error)")
            case .done: self.beginUpgrade()
            }
            // libssl already has what came after the handshake.
            fresh = count..<count
        }
        while true {
            var room = plaintext.mutableSpan
            var free = room._mutatingExtracting(Client.headroom..<room.count)
            let result = tls.decrypt(ciphertext.extracting(fresh), into: &free)
            self.sendCiphertext()
            if result.count > 0 { self.take(Client.headroom..<Client.headroom + result.count) }
            switch result.state {
            case .open: break
            case .closed: return self.over("the server closed the connection")
            case .failed(let error): return self.over("\(error)")
            }
            guard result.hasMore, self.phase != .closed else { return }
            fresh = count..<count
        }
    }

    /// Takes plain bytes at `range` of the client's buffer.
    private func take(_ range: Range<Int>) {
        switch self.phase {
        case .open: self.readFrames(range)
        case .upgrading:
            let plaintext = self.client.plaintext
            switch self.upgrade.read(plaintext.span.extracting(range)) {
            case .incomplete: return
            case .failed(let reason): self.over(reason)
            case .done(let used):
                self.phase = .open
                self.client.progress &+= 1
                self.owner.opened(self)
                let rest = range.lowerBound + used..<range.upperBound
                if self.phase == .open, !rest.isEmpty { self.readFrames(rest) }
            }
        case .connecting, .securing, .closing, .closed: return
        }
    }

    private func readFrames(_ range: Range<Int>) {
        let buffer = self.client.plaintext
        var position = range.lowerBound
        if !self.partial.isEmpty {
            position -= self.partial.count
            let partial = self.partial
            buffer.replace(at: position, with: partial.span)
            self.partial.removeAll(keepingCapacity: true)
        }
        let bytes = buffer.span.extracting(0..<range.upperBound)
        let before = self.count
        reading: while true {
            switch self.reader.next(bytes, at: &position) {
            case .end: break reading
            case .incomplete:
                self.partial.append(bytes.extracting(position..<bytes.count))
                break reading
            case .data(let part):
                guard self.readPayload(bytes.extracting(part.range)) else { return }
            case .control(let frame):
                guard self.handle(frame, in: bytes) else { return }
            case .violation(let violation): return self.over("the server's frame is wrong: \(violation)")
            }
        }
        if self.count > before {
            self.client.progress &+= 1
            self.owner.received(self.count - before, on: self)
        }
    }

    /// Counts payload, wherever frames begin and end, because a bridge splits and joins messages. The first message and every 1000th are
    /// compared with what was sent.
    private func readPayload(_ payload: Span<UInt8>) -> Bool {
        guard let message = self.message else {
            self.over("the server sent a message")
            return false
        }
        var start = 0
        while start < payload.count {
            let end = min(payload.count, start + message.payload.count - self.received)
            if self.count % 1000 == 0, !message.matches(payload.extracting(start..<end), at: self.received) {
                self.over("message \(self.count) is not what was sent")
                return false
            }
            self.received += end - start
            start = end
            guard self.received == message.payload.count else { break }
            self.received = 0
            self.count += 1
        }
        return true
    }

    private func handle(_ frame: ControlFrame, in bytes: Span<UInt8>) -> Bool {
        let payload = frame.payload(in: bytes)
        switch frame.opcode {
        case .ping: self.sendControl(.pong, payload)
        case .close:
            let code = payload.count >= 2 ? "\(Int(payload[0]) << 8 | Int(payload[1]))" : "no code"
            self.over("the server sent a Close with \(code)")
            return false
        default: break
        }
        return true
    }
}
