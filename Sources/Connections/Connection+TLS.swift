internal import System
internal import TLS

/// libssl between the socket and the loop's buffers: the TLS handshake, then decryption and encryption.
extension Connection {
    // MARK: - Handshake

    /// How far a TLS handshake has come.
    public enum HandshakeResult {
        /// It goes on with what the peer sends next.
        case wantsRead
        case done
        case failed(ConnectionFailure)

        init(_ result: TLSConnection.HandshakeResult) {
            self =
                switch result {
                case .wantsRead: .wantsRead
                case .done: .done
                case .failed(let error): .failed(.tls(error))
                }
        }
    }

    /// One step of the TLS handshake: reads what is there and sends libssl's output.
    ///
    /// - Returns: the state of the handshake, and whether libssl had anything to do.
    public func handshakeStep() -> (result: HandshakeResult, hasWorked: Bool) {
        guard let tls = self.tls else { return (.done, false) }
        var hasWorked = false
        // Many handshakes are in progress at a time, and each mostly waits for its peer.
        defer { tls.releaseBuffers() }
        let ciphertext = self.context.buffers.ciphertext
        while true {
            var received = ciphertext.mutableSpan
            switch Kernel.receive(self.descriptor, into: &received) {
            case .bytes(let count, let filled):
                self.reading.gave(filled: filled)
                hasWorked = true
                let result = HandshakeResult(tls.handshake(ciphertext.span.extracting(0..<count)))
                self.sendCiphertext()
                if case .wantsRead = result, self.mayRead { continue }
                if case .done = result {
                    // Application data may have come with the end of the handshake.
                    self.reading.hasDecrypted = true
                    self.reading.lookAgain()
                }
                return (result, hasWorked)
            case .wouldBlock:
                self.reading.ranDry()
                return (.wantsRead, hasWorked)
            case .end:
                let error = TLSError(.truncation, "the peer ended the connection during the TLS handshake")
                return (.failed(.tls(error)), hasWorked)
            case .failed(let error):
                return (.failed(self.note(error)), hasWorked)
            }
        }
    }

    /// There is news while the TLS handshake is under way.
    ///
    /// A step costs a signature or a key exchange. It waits for its turn, so that live sessions keep their latency in a storm of new ones;
    /// but a peer that has left need not wait for one, and its last alert may say why it left.
    ///
    /// - Returns: what a step that was made at once led to; `nil` if none was.
    public func handshakeNews() -> HandshakeResult? {
        guard self.mayRead else { return nil }
        guard self.hasEnded else {
            self.handshakeLater()
            return nil
        }
        self.context.loop.budget.spend(EventLoop.workOfLongStep)
        return self.handshakeStep().result
    }

    /// The first step of a TLS client, before anything is received.
    public func beginHandshake() -> HandshakeResult {
        guard let tls = self.tls else { return .done }
        defer { tls.releaseBuffers() }
        let nothing: [UInt8] = []
        let result = HandshakeResult(tls.handshake(nothing.span))
        self.sendCiphertext()
        return result
    }

    // MARK: - Records

    /// Reads once and decrypts.
    func receive(atMost limit: Int, through tls: TLSConnection) -> Received {
        let ciphertext = self.context.buffers.ciphertext
        var count = 0
        self.tookBytes = !self.reading.hasDecrypted
        if self.tookBytes {
            var buffer = ciphertext.mutableSpan
            var room = buffer._mutatingExtracting(0..<limit)
            switch Kernel.receive(self.descriptor, into: &room) {
            case .bytes(let received, let filled):
                self.reading.gave(filled: filled)
                count = received
            case .wouldBlock:
                self.reading.ranDry()
                return .nothing
            case .end:
                self.reading.ranDry()
                return .end(inOrder: false)
            case .failed(let error):
                self.reading.ranDry()
                return .failed(self.note(error))
            }
        }
        self.warmUp()
        let headroom = ConnectionBuffers.headroom
        let plaintext = self.plaintext
        var buffer = plaintext.mutableSpan
        var room = buffer._mutatingExtracting(headroom..<buffer.count)
        let result = tls.decrypt(ciphertext.span.extracting(0..<count), into: &room)
        self.reading.hasDecrypted = result.hasMore
        if result.hasMore { self.reading.lookAgain() }
        // One may be a record that has only begun, which is ordinary.
        if result.idleRecords > 1 { self.context.loop.budget.spend(result.idleRecords * Work.recordWithoutData) }
        self.sendCiphertext()
        if result.count > 0 {
            // The next call reports an end that follows these bytes.
            switch result.state {
            case .open: break
            case .closed, .failed:
                self.reading.hasDecrypted = true
                self.reading.lookAgain()
            }
            return .bytes(headroom..<(headroom + result.count))
        }
        switch result.state {
        case .open: return count > 0 ? .incomplete : .nothing
        case .closed:
            self.reading.ranDry()
            return .end(inOrder: true)
        case .failed(let error):
            self.reading.ranDry()
            return .failed(.tls(error))
        }
    }

    /// Sends libssl's output to the peer.
    func sendCiphertext() {
        self.context.tlsIO.drainOutput { self.sendOrQueue($0) }
    }
}
