import Glibc
import TestSupport
import Testing

@testable import System

/// Two connected sockets that do not block.
struct SocketPair {
    let near: Int32
    let far: Int32

    /// Unix sockets.
    init() { (self.near, self.far) = socketPair() }

    /// TCP sockets: `near` connected, and `far` was accepted.
    init(tcp: Void) throws {
        let listener = try Kernel.listen(.loopback(port: 0), sharedByWorkers: false)
        defer { Kernel.close(listener) }
        self.near = try Kernel.connect(#require(Kernel.localAddress(listener)))
        self.far = try #require(acceptNext(listener))
    }

    func close() {
        Kernel.close(self.near)
        Kernel.close(self.far)
    }
}

func acceptNext(_ listener: Int32) -> Int32? {
    guard waitToRead(listener), case .accepted(let descriptor, _) = Kernel.accept(listener) else { return nil }
    return descriptor
}

/// Sends all of it, without `Kernel`. A few bytes always fit.
func put(_ descriptor: Int32, _ text: String, _ location: SourceLocation = #_sourceLocation) {
    // The kernel reads as many bytes as the text has.
    let count = unsafe Glibc.send(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL))
    #expect(count == text.utf8.count, sourceLocation: location)
}

func send(_ descriptor: Int32, _ bytes: [UInt8]) -> Kernel.SendResult { Kernel.send(descriptor, bytes.span) }

/// One `Kernel.receive`, and the bytes that it read.
func receive(_ descriptor: Int32, atMost count: Int = 65536) -> (result: Kernel.ReceiveResult, bytes: [UInt8]) {
    var buffer = [UInt8](repeating: 0, count: count)
    var span = buffer.mutableSpan
    let result = Kernel.receive(descriptor, into: &span)
    if case .bytes(let count, _) = result { return (result, Array(buffer[..<count])) }
    return (result, [])
}

/// Waits, then receives.
func receiveNext(_ descriptor: Int32) -> (result: Kernel.ReceiveResult, bytes: [UInt8]) {
    _ = waitToRead(descriptor)
    return receive(descriptor)
}

/// Calls a closure for each readiness and each timer.
final class Recorder: ReadinessHandler, TimerHandler {
    private(set) var heard: [Readiness] = []
    private(set) var fired: [MonotonicInstant] = []
    var onReady: (Readiness) -> Void = { _ in }
    var onTimer: () -> Void = {}
    var onLongStep: (Duration) -> Void = { _ in }
    /// Whether its long steps are long.
    var isLong = true

    func makeLongStep(afterWaiting waited: Duration) -> Bool {
        self.onLongStep(waited)
        return self.isLong
    }

    func ready(_ readiness: Readiness) {
        self.heard.append(readiness)
        self.onReady(readiness)
    }

    func timerFired() {
        self.fired.append(.now())
        self.onTimer()
    }

    func forget() { self.heard = [] }
}

extension Readiness {
    /// EPOLLIN only.
    static var readable: Readiness { Readiness(events: 1) }
    /// EPOLLOUT only.
    static var writable: Readiness { Readiness(events: 4) }
}
