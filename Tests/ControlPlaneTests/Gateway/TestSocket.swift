import Glibc
import System
import TLS
import TestSupport
import Testing

/// Something that a peer in a test does not expect.
enum PeerError: Error, Equatable {
    case endedAfter([UInt8])
    case reset
    case timedOut
    case refused(String)
}

/// A blocking socket of a peer, with or without TLS. Its calls do not go through `Kernel`, so that injected faults concern the gateway
/// alone. None takes longer than 20 seconds.
final class TestSocket {
    let descriptor: Int32
    private var tls: TLSConnection?
    private var io: TLSIO?
    private var unread: ArraySlice<UInt8> = []
    private var isOpen = true
    /// Whether TLS has signalled its end.
    private var hasEnded = false

    /// Owns `descriptor` from now on.
    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        _ = fcntl(descriptor, F_SETFL, 0)
        self.set(SOL_SOCKET, SO_RCVTIMEO, timeval(tv_sec: 20, tv_usec: 0))
        self.set(SOL_SOCKET, SO_SNDTIMEO, timeval(tv_sec: 20, tv_usec: 0))
        self.set(Int32(IPPROTO_TCP), TCP_NODELAY, Int32(1))
    }

    /// - Parameter receiveBuffer: the size of the kernel's buffer in bytes; `nil` for the default.
    convenience init(port: UInt16, tls: Bool = false, receiveBuffer: Int32? = nil) throws {
        self.init(Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        if let receiveBuffer { self.set(SOL_SOCKET, SO_RCVBUF, receiveBuffer) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var result: Int32 = -1
        // A ring that closes interrupts the thread that opened it, but the connection goes on (connect(2), EINTR).
        repeat {
            result = unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe connect(self.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        } while result != 0 && (errno == EINTR || errno == EALREADY)
        guard result == 0 || errno == EISCONN else { throw SystemError("connect", errno) }
        if tls { try self.beginTLS() }
    }

    deinit { self.close() }

    private func set<Value: BitwiseCopyable>(_ level: Int32, _ name: Int32, _ value: Value) {
        var value = value
        unsafe setsockopt(self.descriptor, level, name, &value, socklen_t(MemoryLayout<Value>.size))
    }

    private func beginTLS() throws {
        let io = TLSIO()
        let context = try TLSClientContext(TLSClientSettings(verify: false), io: io)
        let tls = try context.makeConnection(serverName: "localhost")
        var received: [UInt8] = []
        while true {
            let result = tls.handshake(received.span)
            self.sendRaw(io.output)
            io.clearOutput()
            switch result {
            case .done:
                self.tls = tls
                self.io = io
                return
            case .wantsRead: received = try self.receiveRaw()
            case .failed(let error): throw error
            }
        }
    }

    // MARK: - Sending

    func send(_ bytes: [UInt8]) { self.sendRaw(self.encrypted(bytes)) }

    /// The ciphertext of `bytes`. It is not sent.
    func encrypted(_ bytes: [UInt8]) -> [UInt8] {
        guard let tls = self.tls, let io = self.io else { return bytes }
        _ = tls.encrypt(bytes.span)
        defer { io.clearOutput() }
        return io.output
    }

    private func sendRaw(_ bytes: [UInt8]) { Self.sendAll(self.descriptor, bytes) }

    /// Sends all of it, unless the peer has ended.
    static func sendAll(_ descriptor: Int32, _ bytes: [UInt8]) {
        var start = 0
        while start < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.send(descriptor, buffer.baseAddress! + start, bytes.count - start, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            start += count
        }
    }

    /// Sends `bytes` again and again while the peer accepts them, `most` bytes at most. Returns how many were sent.
    func flood(_ bytes: [UInt8], atMost most: Int) -> Int {
        var sent = 0
        while sent < most {
            let offset = sent % bytes.count
            let length = min(bytes.count - offset, most - sent)
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.send(
                    self.descriptor, buffer.baseAddress! + offset, length, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            }
            if count > 0 {
                sent += count
            } else {
                var waiting = pollfd(fd: self.descriptor, events: Int16(POLLOUT), revents: 0)
                // Full for so long means that the peer does not read.
                guard unsafe poll(&waiting, 1, 500) == 1 else { return sent }
            }
        }
        return sent
    }

    // MARK: - Receiving

    /// Receives exactly `count` bytes.
    func receive(_ count: Int) throws -> [UInt8] {
        while self.unread.count < count { try self.receiveMore() }
        defer { self.unread = self.unread.dropFirst(count) }
        return Array(self.unread.prefix(count))
    }

    /// Receives bytes up to the end of `mark`.
    func receive(until mark: String) throws -> [UInt8] {
        let mark = Array(mark.utf8)
        while true {
            if let range = self.unread.firstRange(of: mark) {
                defer { self.unread = self.unread[range.upperBound...] }
                return Array(self.unread[..<range.upperBound])
            }
            try self.receiveMore()
        }
    }

    /// Receives everything up to the peer's orderly end.
    func receiveToEnd() throws -> [UInt8] {
        do {
            while true { try self.receiveMore() }
        } catch PeerError.endedAfter(let bytes) {
            return bytes
        }
    }

    private func receiveMore() throws {
        if self.hasEnded { throw PeerError.endedAfter(Array(self.unread)) }
        let bytes = try self.receiveRaw()
        guard let tls = self.tls, let io = self.io else { return self.unread += bytes }
        var plaintext = [UInt8](repeating: 0, count: 1 << 17)
        var ciphertext = bytes
        while true {
            var room = plaintext.mutableSpan
            let result = tls.decrypt(ciphertext.span, into: &room)
            self.unread += plaintext[..<result.count]
            self.sendRaw(io.output)
            io.clearOutput()
            ciphertext = []
            if case .failed(let error) = result.state { throw error }
            if case .closed = result.state {
                self.hasEnded = true
                return
            }
            guard result.hasMore else { return }
        }
    }

    /// Whether the peer has ended its side and all of its bytes were read. Does not wait.
    func hasEnd() throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe recv(self.descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count == 0 { return true }
            guard count < 0 else { continue }
            guard errno == EAGAIN else { throw PeerError.reset }
            return false
        }
    }

    private func receiveRaw() throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var count = -1
        // The system does not restart a call with a timeout when it interrupts a thread, and it interrupts a thread that had a ring.
        repeat { count = unsafe recv(self.descriptor, &buffer, buffer.count, 0) } while count < 0 && errno == EINTR
        if count > 0 { return Array(buffer[..<count]) }
        if count == 0 { throw PeerError.endedAfter(Array(self.unread)) }
        throw errno == EAGAIN ? PeerError.timedOut : PeerError.reset
    }

    // MARK: - Ending

    func endWriting() { shutdown(self.descriptor, Int32(SHUT_WR)) }

    func reset() {
        guard self.isOpen else { return }
        self.set(SOL_SOCKET, SO_LINGER, linger(l_onoff: 1, l_linger: 0))
        self.close()
    }

    func close() {
        guard self.isOpen else { return }
        self.isOpen = false
        _ = Glibc.close(self.descriptor)
    }
}

/// A server of a test.
final class TestListener {
    private let descriptor: Int32
    let port: UInt16

    init(_ address: SocketAddress = .loopback(port: 0), backlog: Int32 = 128) throws {
        self.descriptor = try Kernel.listen(address, sharedByWorkers: false, backlog: backlog)
        self.port = try #require(Kernel.localAddress(self.descriptor)?.port)
    }

    deinit { Kernel.close(self.descriptor) }

    /// Waits for a connection here, or for bytes from `other`. Returns whether there is a connection.
    func hasConnection(orElse other: TestSocket) -> Bool { self.hasConnection(orElse: other.descriptor) }

    /// Waits for a connection here or to `other`. Returns whether it is here.
    func hasConnection(orElse other: TestListener) -> Bool { self.hasConnection(orElse: other.descriptor) }

    private func hasConnection(orElse other: Int32) -> Bool {
        _ = waitToRead([self.descriptor, other])
        return Kernel.waitToRead(self.descriptor, within: .zero)
    }

    func accept() throws -> TestSocket {
        guard waitToRead(self.descriptor) else { throw PeerError.timedOut }
        return TestSocket(Glibc.accept(self.descriptor, nil, nil))
    }
}

/// A server that answers no SYN, because its queue of connections is full.
final class SilentListener {
    private let listener: TestListener
    private var clients: [Int32] = []
    var port: UInt16 { self.listener.port }

    init(_ address: SocketAddress = .loopback(port: 0)) throws {
        self.listener = try TestListener(address, backlog: 0)
        // The kernel accepts one and lets one more wait. It does not answer what comes then.
        for _ in 0..<3 { self.clients.append(try Kernel.connect(address.with(port: self.listener.port))) }
    }

    deinit { for client in self.clients { Kernel.close(client) } }
}
