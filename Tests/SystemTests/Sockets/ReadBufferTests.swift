import Testing

@testable import System

@Suite struct BufferTests {
    @Test func `bytes are copied from spans`() {
        let bytes: [UInt8] = [1, 2, 3, 4]
        #expect([UInt8](copying: bytes.span) == bytes)
        #expect([UInt8](copying: bytes.span.extracting(1..<3)) == [2, 3])
        #expect([UInt8](copying: bytes.span.extracting(2..<2)) == [])
        var target: [UInt8] = [9]
        target.append(bytes.span.extracting(3..<4))
        target.append(bytes.span.extracting(0..<0))
        #expect(target == [9, 4])
    }

    @Test func `a read buffer keeps what is written`() {
        let buffer = ReadBuffer(count: 8)
        #expect(buffer.count == 8)
        #expect(buffer.copy(0..<8) == [UInt8](repeating: 0, count: 8))
        var span = buffer.mutableSpan
        span[2] = 5
        #expect(buffer.span[2] == 5)
        let bytes: [UInt8] = [1, 2, 3]
        buffer.replace(at: 5, with: bytes.span)
        buffer.replace(at: 8, with: bytes.span.extracting(0..<0))
        #expect(buffer.copy(0..<8) == [0, 0, 5, 0, 0, 1, 2, 3])
        #expect(buffer.copy(3..<3) == [])
    }

    @Test func `parts of a buffer may overlap when moved`() {
        let buffer = ReadBuffer(count: 6)
        let bytes: [UInt8] = [1, 2, 3, 4, 5, 6]
        buffer.replace(at: 0, with: bytes.span)
        buffer.replace(at: 2, with: buffer.span.extracting(0..<4))
        #expect(buffer.copy(0..<6) == [1, 2, 1, 2, 3, 4])
    }
}
