import Glibc
import TestSupport
import Testing

@testable import EventLoop

@Suite struct FileTests {
    @Test func linesAreAppendedAndReadBack() throws {
        let path = temporaryPath(".log")
        defer { removeFile(path) }
        let file = try OutputFile.appending(to: path)
        #expect(!file.isTerminal)
        #expect(file.write(Array("one\n".utf8)))
        #expect(file.write([]))
        #expect(try OutputFile.appending(to: path).write(Array("two\n".utf8)))
        #expect(try FileContents.read(path) == Array("one\ntwo\n".utf8))
    }

    @Test func aFileOfSeveralPiecesIsReadWhole() throws {
        let path = temporaryPath(".bin")
        defer { removeFile(path) }
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        #expect(try OutputFile.appending(to: path).write(bytes))
        #expect(try FileContents.read(path) == bytes)
    }

    @Test func aFileTooLargeForACertificateIsRefused() throws {
        let path = temporaryPath(".bin")
        defer { removeFile(path) }
        let file = try OutputFile.appending(to: path)
        #expect(file.write([UInt8](repeating: 0, count: 4 << 20)))
        #expect(try FileContents.read(path).count == 4 << 20)
        #expect(file.write([0]))
        #expect(throws: SystemError("read", EFBIG)) { try FileContents.read(path) }
    }

    @Test func whatCannotBeOpenedIsAnError() {
        let missing = temporaryPath("/missing")
        #expect(throws: SystemError("open", ENOENT)) { try FileContents.read(missing) }
        #expect(throws: SystemError("open", ENOENT)) { try OutputFile.appending(to: missing) }
        #expect(throws: SystemError("read", EISDIR)) { try FileContents.read("/tmp") }
        #expect(throws: SystemError("open", EISDIR)) { try OutputFile.appending(to: "/tmp") }
    }

    @Test func aFullDiskIsReported() throws {
        let full = try OutputFile.appending(to: "/dev/full")
        #expect(!full.write([1]))
    }
}

@Suite struct BufferTests {
    @Test func bytesAreCopiedFromSpans() {
        let bytes: [UInt8] = [1, 2, 3, 4]
        #expect([UInt8](copying: bytes.span) == bytes)
        #expect([UInt8](copying: bytes.span.extracting(1..<3)) == [2, 3])
        #expect([UInt8](copying: bytes.span.extracting(2..<2)) == [])
        var target: [UInt8] = [9]
        target.append(bytes.span.extracting(3..<4))
        target.append(bytes.span.extracting(0..<0))
        #expect(target == [9, 4])
    }

    @Test func aReadBufferKeepsWhatIsWritten() {
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

    @Test func partsOfABufferMayOverlapWhenMoved() {
        let buffer = ReadBuffer(count: 6)
        let bytes: [UInt8] = [1, 2, 3, 4, 5, 6]
        buffer.replace(at: 0, with: bytes.span)
        buffer.replace(at: 2, with: buffer.span.extracting(0..<4))
        #expect(buffer.copy(0..<6) == [1, 2, 1, 2, 3, 4])
    }

    @Test func threadsAreCounted() { #expect(Thread.processorCount >= 1) }
}
