import TestSupport
import Testing

@testable import Connections
@testable import System

@Suite struct OutputQueueTests {
    private final class Account: SharedBytesAccount {
        private(set) var bytes = 0

        func shared(changedBy bytes: Int) { self.bytes += bytes }
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `bytes come out as they went in, however few are taken at a time`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var queue = OutputQueue()
        var model: [UInt8] = []
        let shared = (0..<20_000).map { UInt8(truncatingIfNeeded: $0) }
        let frame = SharedBytes(shared, countedBy: Account())
        for _ in 0..<2000 {
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1:
                let bytes = (0..<Int.random(in: 0..<40, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                queue.append(bytes.span)
                model += bytes
            case 2:
                let bytes = [UInt8](
                    repeating: .random(in: 0...255, using: &random), count: .random(in: 0..<30_000, using: &random))
                queue.append(bytes.span)
                model += bytes
            case 3:
                let start = Int.random(in: 0...shared.count, using: &random)
                let isShared = queue.append(sharing: frame, from: start)
                #expect(isShared == (shared.count - start >= 512))
                model += shared[start...]
            default:
                // A socket that accepts a total, and a limit at a time.
                var room = Int.random(in: 0..<60_000, using: &random)
                var taken: [UInt8] = []
                queue.flush { bytes in
                    let count = min(bytes.count, room)
                    room -= count
                    taken.append(bytes.extracting(0..<count))
                    return count
                }
                #expect(taken.elementsEqual(model.prefix(taken.count)))
                #expect(taken.count == model.count || room == 0)
                model.removeFirst(taken.count)
            }
            #expect(queue.count == model.count)
            #expect(queue.isEmpty == model.isEmpty)
            #expect(queue.ownMemory + queue.sharedCount >= queue.count)
            #expect(!queue.isEmpty || queue.ownMemory + queue.sharedCount == 0)
        }
        #expect(shared == (0..<20_000).map { UInt8(truncatingIfNeeded: $0) })
    }

    @Test func `shared bytes are not changed by later ones`() {
        let shared = [UInt8](repeating: 1, count: 600)
        let frame = SharedBytes(shared, countedBy: Account())
        var first = OutputQueue()
        var second = OutputQueue()
        _ = first.append(sharing: frame, from: 1)
        _ = second.append(sharing: frame, from: 600)
        #expect(second.isEmpty)
        _ = second.append(sharing: frame, from: 0)
        let more: [UInt8] = [9]
        first.append(more.span)
        #expect(self.all(&first) == shared.dropFirst() + [9])
        #expect(self.all(&second) == shared)
        #expect(frame.bytes == shared)
    }

    @Test func `shared bytes count once until the last queue has sent them`() throws {
        let account = Account()
        var queues = [OutputQueue(), OutputQueue()]
        var frame: SharedBytes? = SharedBytes([UInt8](repeating: 1, count: 100_000), countedBy: account)
        for index in queues.indices {
            let shared = try #require(frame)
            if queues[index].append(sharing: shared, from: 0) { shared.keep() }
            #expect(queues[index].ownMemory < 1000)
            #expect(queues[index].sharedCount >= 100_000)
        }
        frame = nil
        #expect(account.bytes >= 100_000 && account.bytes < 150_000)
        queues[0].removeAll()
        #expect(account.bytes >= 100_000)
        _ = self.all(&queues[1])
        #expect(account.bytes == 0)
    }

    @Test func `small pieces are sent together`() {
        var queue = OutputQueue()
        let piece = [UInt8](repeating: 1, count: 10)
        for _ in 0..<100 { queue.append(piece.span) }
        var calls = 0
        queue.flush { bytes in
            calls += 1
            return bytes.count
        }
        #expect(calls == 1)
    }

    @Test func `after removeAll the queue is empty`() {
        var queue = OutputQueue()
        let bytes: [UInt8] = [1]
        queue.append(bytes.span)
        queue.removeAll()
        #expect(queue.isEmpty)
        #expect(self.all(&queue) == [])
    }

    private func all(_ queue: inout OutputQueue) -> [UInt8] {
        var bytes: [UInt8] = []
        queue.flush { piece in
            bytes.append(piece)
            return piece.count
        }
        return bytes
    }
}
