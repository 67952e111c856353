import Glibc
import Testing

@testable import System

/// Stages bytes for a socket of its own, and records what it is told.
private final class Sender: SendBatch.Sender {
    struct Told: Equatable {
        let rest: [UInt8]
        let failure: SystemError?
    }

    let pair = SocketPair()
    private(set) var told: [Told] = []

    deinit { self.pair.close() }

    /// - Parameter socket: `nil` for its own.
    func stage(_ bytes: [UInt8], for socket: Int32? = nil, in batch: SendBatch) -> Bool {
        batch.stage(bytes.span, for: socket ?? self.pair.near, self)
    }

    func extend(_ bytes: [UInt8], in batch: SendBatch) -> Bool { batch.extend(bytes.span, self) }

    func sent(allBut rest: Span<UInt8>, failure: SystemError?) {
        self.told.append(Told(rest: [UInt8](copying: rest), failure: failure))
    }

    func received() -> [UInt8] { receive(self.pair.far).bytes }

    /// Sends until the socket takes no more.
    func fill() {
        let piece = [UInt8](repeating: 0, count: 64 << 10)
        while case .sent = send(self.pair.near, piece) {}
    }
}

extension Sender.Told {
    fileprivate static let everything = Self(rest: [], failure: nil)

    fileprivate static func allBut(_ rest: [UInt8]) -> Self { Self(rest: rest, failure: nil) }
}

/// Some tests need io_uring.
private let hasRings: Bool = {
    var hasRings = false
    SyscallFaults.exclusively { hasRings = SendRing(capacity: 1) != nil }
    return hasRings
}()

@Suite(.serialized) struct SendBatchTests {
    private func senders(_ count: Int) -> [Sender] { (0..<count).map { _ in Sender() } }

    /// Calls `body` in a turn with so many events.
    private func turn(_ batch: SendBatch, events: Int = 4, _ body: () -> Void) {
        batch.begin(events: events)
        body()
        batch.end()
    }

    // MARK: - Staging

    @Test func `with few events nothing is staged`() {
        SyscallFaults.exclusively {
            let batch = SendBatch()
            let sender = Sender()
            #expect(!sender.stage([1], in: batch))
            self.turn(batch, events: 3) { #expect(!sender.stage([1], in: batch)) }
            self.turn(batch) { #expect(sender.stage([1], in: batch)) }
            #expect(!sender.stage([1], in: batch))
            // Unless many sends are announced.
            self.turn(batch, events: 1) {
                batch.expect(sends: 3)
                #expect(!sender.stage([1], in: batch))
                batch.expect(sends: 4)
                #expect(sender.stage([1], in: batch))
            }
            #expect(sender.told.count == 2)
        }
    }

    @Test func `many bytes are not staged`() {
        SyscallFaults.exclusively {
            let batch = SendBatch()
            let sender = Sender()
            let most = [UInt8](repeating: 1, count: SendBatch.mostBytes)
            self.turn(batch) {
                #expect(!sender.stage(most + [1], in: batch))
                #expect(sender.stage(most, in: batch))
            }
            #expect(sender.told == [.allBut(most)])
        }
    }

    @Test func `only the last sender can extend, and only up to a bound`() {
        SyscallFaults.exclusively {
            SyscallFaults.refuseRings()
            let batch = SendBatch()
            let senders = self.senders(2)
            self.turn(batch) {
                #expect(!senders[0].extend([0], in: batch))
                #expect(senders[0].stage([1], in: batch))
                #expect(senders[0].extend([2, 3], in: batch))
                #expect(senders[0].extend([], in: batch))
                #expect(!senders[1].extend([0], in: batch))
                #expect(senders[1].stage([4], in: batch))
                #expect(!senders[0].extend([5], in: batch))
                #expect(!senders[1].extend([UInt8](repeating: 6, count: SendBatch.mostBytes), in: batch))
                #expect(senders[1].extend([UInt8](repeating: 6, count: SendBatch.mostBytes - 1), in: batch))
            }
            #expect(senders[0].told == [.allBut([1, 2, 3])])
            #expect(senders[1].told == [.allBut([4] + [UInt8](repeating: 6, count: SendBatch.mostBytes - 1))])
        }
    }

    @Test func `few sends are left to their senders`() {
        SyscallFaults.exclusively {
            let batch = SendBatch()
            let senders = self.senders(3)
            self.turn(batch) { for sender in senders { #expect(sender.stage([1, 2], in: batch)) } }
            for sender in senders {
                #expect(sender.told == [.allBut([1, 2])])
                #expect(sender.received().isEmpty)
            }
        }
    }

    @Test func `a flush in the turn begins anew`() {
        SyscallFaults.exclusively {
            let batch = SendBatch()
            let sender = Sender()
            self.turn(batch) {
                #expect(sender.stage([1], in: batch))
                batch.flush()
                #expect(sender.told == [.allBut([1])])
                batch.flush()
                #expect(!sender.extend([2], in: batch))
                #expect(sender.stage([3], in: batch))
            }
            #expect(sender.told == [.allBut([1]), .allBut([3])])
        }
    }

    // MARK: - Sending

    @Test(.enabled(if: hasRings)) func `more sends than fit are all made, in order`() {
        SyscallFaults.exclusively {
            let batch = SendBatch()
            let senders = self.senders(300)
            for round in UInt8(0)..<3 {
                self.turn(batch) {
                    for (index, sender) in senders.enumerated() {
                        #expect(sender.stage([round, UInt8(truncatingIfNeeded: index)], in: batch))
                        #expect(sender.extend([7], in: batch))
                    }
                }
            }
            for (index, sender) in senders.enumerated() {
                #expect(sender.received() == (UInt8(0)..<3).flatMap { [$0, UInt8(truncatingIfNeeded: index), 7] })
                #expect(sender.told == [.everything, .everything, .everything])
            }
        }
    }

    @Test(.enabled(if: hasRings)) func `more bytes than fit are all sent`() {
        SyscallFaults.exclusively {
            let batch = SendBatch()
            let senders = self.senders(100)
            let most = [UInt8](repeating: 1, count: SendBatch.mostBytes)
            self.turn(batch) {
                for (index, sender) in senders.enumerated() {
                    // Different lengths, so that room runs out while staging for some, and while extending for others.
                    #expect(sender.stage(Array(most.dropFirst(index + 1)), in: batch))
                    if !sender.extend([7], in: batch) {
                        batch.flush()
                        #expect(sender.stage([7], in: batch))
                    }
                }
            }
            for (index, sender) in senders.enumerated() {
                #expect(sender.received() == most.dropFirst(index + 1) + [7])
                #expect(Set(sender.told.map(\.rest)) == [[]])
            }
        }
    }

    @Test(.enabled(if: hasRings)) func `a full socket and a broken one do not hold up the others`() {
        SyscallFaults.exclusively {
            let batch = SendBatch()
            let senders = self.senders(5)
            senders[1].fill()
            shutdown(senders[2].pair.far, Int32(SHUT_RDWR))
            self.turn(batch) {
                for sender in senders.dropLast() { #expect(sender.stage([1, 2, 3], in: batch)) }
                #expect(senders[4].stage([1, 2, 3], for: -1, in: batch))
            }
            for index in [0, 3] {
                #expect(senders[index].told == [.everything])
                #expect(senders[index].received() == [1, 2, 3])
            }
            #expect(senders[1].told == [.allBut([1, 2, 3])])
            #expect(senders[2].told == [Sender.Told(rest: [1, 2, 3], failure: SystemError("send", EPIPE))])
            #expect(senders[4].told == [Sender.Told(rest: [1, 2, 3], failure: SystemError("send", EBADF))])
        }
    }

    @Test(.enabled(if: hasRings), arguments: [1, 2]) func `bytes that a socket did not take are reported`(limit: Int) {
        SyscallFaults.exclusively {
            let batch = SendBatch()
            let senders = self.senders(4)
            SyscallFaults.limitTransfers(to: limit)
            self.turn(batch) { for sender in senders { #expect(sender.stage([1, 2, 3], in: batch)) } }
            let bytes: [UInt8] = [1, 2, 3]
            for sender in senders {
                #expect(sender.told == [.allBut(Array(bytes[limit...]))])
                #expect(sender.received() == Array(bytes[..<limit]))
            }
        }
    }

    @Test(.enabled(if: hasRings)) func `the end of a turn sends what is staged`() throws {
        try SyscallFaults.exclusively {
            let loop = try EventLoop()
            let senders = self.senders(4)
            for sender in senders {
                let recorder = Recorder()
                _ = try loop.add(sender.pair.near, recorder)
                recorder.onReady = { [unowned sender] _ in
                    #expect(sender.stage([1, 2], in: loop.sends))
                    #expect(sender.told.isEmpty)
                }
            }
            loop.turn(waitingAtMost: .zero)
            for sender in senders {
                #expect(sender.told == [.everything])
                #expect(sender.received() == [1, 2])
            }
        }
    }

    // MARK: - Without a ring

    @Test func `without rings the senders send`() {
        SyscallFaults.exclusively {
            SyscallFaults.refuseRings()
            let batch = SendBatch()
            let senders = self.senders(5)
            for _ in 0..<2 {
                self.turn(batch) { for sender in senders { #expect(sender.stage([1, 2, 3], in: batch)) } }
            }
            for sender in senders {
                #expect(sender.told == [.allBut([1, 2, 3]), .allBut([1, 2, 3])])
                #expect(sender.received().isEmpty)
            }
        }
    }

    /// A ring works only for the thread that opened it. On another thread it is broken.
    @Test(.enabled(if: hasRings)) func `a broken ring sends nothing`() throws {
        try SyscallFaults.exclusively {
            let sender = Sender()
            let buffer = ReadBuffer(count: 3)
            buffer.replace(at: 0, with: [1, 2, 3].span)
            nonisolated(unsafe) let ring = try #require(SendRing(capacity: 4))
            nonisolated(unsafe) var results: [Int32] = [9, 9]
            nonisolated(unsafe) let shared = buffer
            nonisolated(unsafe) var works = true
            let socket = sender.pair.near
            // These are not used elsewhere until the thread has ended.
            let thread = try Thread.start("test-ring") {
                unsafe works = ring.send(2, of: shared, { (socket, $0..<3) }, results: &results)
            }
            thread.join()
            unsafe #expect(!works)
            unsafe #expect(results == [0, 0])
            #expect(sender.received().isEmpty)
        }
    }
}
