import Glibc
import Testing

@testable import EventLoop

/// Random numbers that are the same in every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var value = self.state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

/// Two connected sockets that do not block.
struct SocketPair {
    let near: Int32
    let far: Int32

    /// Unix sockets.
    init() {
        var pair: [Int32] = [-1, -1]
        // The kernel writes two descriptors.
        let result = unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &pair)
        precondition(result == 0, "no sockets")
        (self.near, self.far) = (pair[0], pair[1])
    }

    /// TCP: `near` connected, `far` was accepted.
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

/// Waits until poll(2) reports one of `events`. False if that takes longer than anything here may.
func wait(for descriptor: Int32, _ events: Int32 = POLLIN) -> Bool {
    var waiting = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    // The kernel writes to this one record.
    return unsafe poll(&waiting, 1, 20_000) == 1
}

func acceptNext(_ listener: Int32) -> Int32? {
    guard wait(for: listener), case .accepted(let descriptor, _) = Kernel.accept(listener) else { return nil }
    return descriptor
}

/// Sends without the `Kernel`, all of it: a few bytes always fit.
func put(_ descriptor: Int32, _ text: String, _ location: SourceLocation = #_sourceLocation) {
    // The kernel reads as many bytes as the text has.
    let count = unsafe Glibc.send(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL))
    #expect(count == text.utf8.count, sourceLocation: location)
}

func send(_ descriptor: Int32, _ bytes: [UInt8]) -> Kernel.SendResult { Kernel.send(descriptor, bytes.span) }

/// One `Kernel.receive`, and what it read.
func receive(_ descriptor: Int32, atMost count: Int = 65536) -> (result: Kernel.ReceiveResult, bytes: [UInt8]) {
    var buffer = [UInt8](repeating: 0, count: count)
    var span = buffer.mutableSpan
    let result = Kernel.receive(descriptor, into: &span)
    if case .bytes(let count, _) = result { return (result, Array(buffer[..<count])) }
    return (result, [])
}

/// Waits, then receives.
func receiveNext(_ descriptor: Int32) -> (result: Kernel.ReceiveResult, bytes: [UInt8]) {
    _ = wait(for: descriptor)
    return receive(descriptor)
}

/// A path that nobody has, below the directory for temporary files.
func temporaryPath(_ suffix: String) -> String {
    let number = UInt64.random(in: .min ... .max)
    return "/tmp/gateway-test-\(getpid())-\(String(number, radix: 16))\(suffix)"
}

func removeFile(_ path: String) { _ = unsafe unlink(path) }

/// Calls a closure for each readiness and each timer.
final class Recorder: ReadinessHandler, TimerHandler {
    private(set) var heard: [Readiness] = []
    private(set) var fired: [MonotonicInstant] = []
    var onReady: (Readiness) -> Void = { _ in }
    var onTimer: () -> Void = {}

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
    /// EPOLLIN and nothing else.
    static var readable: Readiness { Readiness(events: 1) }
    /// EPOLLOUT and nothing else.
    static var writable: Readiness { Readiness(events: 4) }
}
