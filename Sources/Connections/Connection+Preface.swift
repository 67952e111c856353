public import System

/// What comes before everything else, TLS included: a header of a proxy.
extension Connection {
    /// The most bytes that are looked at in one step. Most headers are shorter.
    private static let mostPeeked = 1 << 10

    /// Looks at what is there, once, and takes the beginning of it. The rest stays in the socket, for the TLS handshake or the request.
    ///
    /// - Parameter take: gets what is there, and returns how many bytes of it are taken.
    /// - Returns: `incomplete` if there was anything; never `bytes`.
    public func receivePreface(_ take: (Span<UInt8>) -> Int) -> Received {
        let buffer = self.context.buffers.ciphertext
        var all = buffer.mutableSpan
        var room = all._mutatingExtracting(0..<Self.mostPeeked)
        switch Kernel.peek(self.descriptor, into: &room) {
        case .bytes(let count, let filled):
            let taken = take(buffer.span.extracting(0..<count))
            self.reading.gave(filled: filled || taken < count)
            return self.drop(taken)
        case .wouldBlock:
            self.reading.ranDry()
            return .nothing
        case .end:
            self.reading.ranDry()
            return .end(inOrder: true)
        case .failed(let error):
            self.reading.ranDry()
            return .failed(self.note(error))
        }
    }

    /// Takes bytes that are known already.
    private func drop(_ count: Int) -> Received {
        let buffer = self.context.buffers.ciphertext
        var left = count
        while left > 0 {
            var all = buffer.mutableSpan
            var room = all._mutatingExtracting(0..<left)
            switch Kernel.receive(self.descriptor, into: &room) {
            case .bytes(let count, _): left -= count
            case .wouldBlock, .end: return .end(inOrder: false)
            case .failed(let error): return .failed(self.note(error))
            }
        }
        return .incomplete
    }

    /// Sends bytes before everything else.
    func sendPreface(_ bytes: [UInt8]) {
        if !bytes.isEmpty { self.sendOrQueue(bytes.span) }
    }

    /// The address that the peer is connected to.
    public var localAddress: SocketAddress? { Kernel.localAddress(self.descriptor) }
}
