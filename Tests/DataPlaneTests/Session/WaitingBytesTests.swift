import Testing

@testable import DataPlane

@Suite struct WaitingBytesTests {
    @Test(arguments: [1, 2, 3, 7, 50, 1000]) func `what goes on is what came, in order`(_ portion: Int) {
        var waiting = WaitingBytes()
        var taken: [UInt8] = []
        let all = (0..<600).map { UInt8(truncatingIfNeeded: $0) }
        for start in stride(from: 0, to: all.count, by: 100) {
            waiting.append(Array(all[start..<(start + 100)]))
            for _ in 0..<3 where !waiting.isEmpty {
                let range = waiting.next(atMost: portion)
                taken += waiting.bytes[range]
                waiting.advance(to: range.upperBound)
            }
        }
        let rest = waiting.takeAll()
        #expect(taken + rest == all)
        #expect(waiting.isEmpty && waiting.memory == 0)
    }
}
