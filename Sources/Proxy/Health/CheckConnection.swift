internal import System
internal import TLS

/// The connection of a health check: a socket, libssl where there is TLS, and the bytes the socket did not take yet.
///
/// It decides nothing. What fails in sending fails in reading, too, after what the endpoint had to say.
struct CheckConnection {
    private let loop: EventLoop
    private let tlsIO: TLSIO
    private var descriptor: Int32 = -1
    private var registration: EventLoop.Registration?
    private(set) var tls: TLSConnection?
    private var queue = OutputQueue()
    /// Our side ends when the queue is empty.
    private var endsWriting = false

    init(_ loop: EventLoop, _ tlsIO: TLSIO) {
        self.loop = loop
        self.tlsIO = tlsIO
    }

    /// Takes over a connection that stands. There is none yet, or no more.
    mutating func open(
        _ descriptor: Int32, tls: TLSConnection?, _ handler: any ReadinessHandler
    ) throws(SystemError) {
        self.registration = try self.loop.add(descriptor, handler)
        self.descriptor = descriptor
        self.tls = tls
        Kernel.sendAtOnce(descriptor)
    }

    /// Closes the socket, if there is one.
    mutating func close() {
        if let registration = self.registration {
            self.loop.remove(registration, self.descriptor)
            Kernel.close(self.descriptor)
        }
        self.registration = nil
        self.tls = nil
        self.queue.removeAll()
    }

    // MARK: - Reading

    func receive(into room: inout MutableSpan<UInt8>) -> Kernel.ReceiveResult {
        Kernel.receive(self.descriptor, into: &room)
    }

    /// Has the handler called in the next turn: there is more to read than is fair to read now.
    func readAgainLater() {
        if let registration = self.registration { self.loop.again(registration) }
    }

    // MARK: - Writing

    mutating func send(_ bytes: [UInt8]) {
        guard !bytes.isEmpty, !self.endsWriting else { return }
        guard let tls = self.tls else {
            self.queue.append(bytes.span)
            return self.flush()
        }
        // What is wrong with TLS is found by reading, too.
        _ = tls.encrypt(bytes.span)
        self.sendCiphertext()
    }

    /// Sends what libssl has for the endpoint.
    mutating func sendCiphertext() {
        self.tlsIO.drainOutput { self.queue.append($0) }
        self.flush()
    }

    /// Sends what is queued, as far as the socket takes it.
    mutating func flush() {
        guard self.registration != nil else { return }
        let descriptor = self.descriptor
        self.queue.flush { bytes in
            var sent = 0
            while sent < bytes.count {
                let rest = bytes.extracting(sent..<bytes.count)
                guard case .sent(let count) = Kernel.send(descriptor, rest) else { return sent }
                sent += count
            }
            return sent
        }
        if self.endsWriting, self.queue.isEmpty { Kernel.endWriting(descriptor) }
    }

    /// Ends our side, after what is queued.
    mutating func finish() {
        guard !self.endsWriting else { return }
        self.tls?.closeNotify()
        self.endsWriting = true
        self.sendCiphertext()
    }
}
