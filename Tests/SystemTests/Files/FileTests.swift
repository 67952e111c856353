import Glibc
import TestSupport
import Testing

@testable import System

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
        #expect(file.write([UInt8](repeating: 0, count: FileContents.limit)))
        #expect(try FileContents.read(path).count == FileContents.limit)
        #expect(file.write([0]))
        #expect(throws: FileError.tooLarge) { try FileContents.read(path) }
    }

    @Test func whatCannotBeOpenedIsAnError() {
        let missing = temporaryPath("/missing")
        #expect(throws: FileError.system(SystemError("open", ENOENT))) { try FileContents.read(missing) }
        #expect(throws: SystemError("open", ENOENT)) { try OutputFile.appending(to: missing) }
        #expect(throws: SystemError("open", EISDIR)) { try OutputFile.appending(to: "/tmp") }
    }

    /// None of them is waited for: a FIFO has no writer here, and a terminal would have nobody who types.
    @Test func onlyRegularFilesAreRead() throws {
        let folder = temporaryPath("")
        unsafe mkdir(folder, 0o700)
        defer { unsafe rmdir(folder) }
        let (fifo, socket, link) = (folder + "/fifo", folder + "/socket", folder + "/link")
        unsafe mkfifo(fifo, 0o600)
        unsafe symlink(fifo, link)
        let listener = try Kernel.listen(.unix(path: socket), sharedByWorkers: false)
        defer {
            Kernel.close(listener)
            for path in [fifo, socket, link] { removeFile(path) }
        }
        for (path, kind) in [
            (folder, "a directory"), (fifo, "a FIFO"), (link, "a FIFO"), (socket, "a socket"),
            ("/dev/zero", "a device"),
        ] {
            #expect(throws: FileError.notRegular(kind)) { try FileContents.read(path) }
        }
        #expect(FileError.notRegular("a FIFO").description == "it is a FIFO, not a regular file")
        #expect(throws: FileError.notRegular("a directory")) { try FileContents.read(folder, .any) }
    }

    @Test func aLinkToARegularFileIsFollowed() throws {
        let (path, link) = (temporaryPath(".txt"), temporaryPath(".link"))
        defer { for path in [path, link] { removeFile(path) } }
        #expect(try OutputFile.appending(to: path).write([1, 2]))
        unsafe symlink(path, link)
        #expect(try FileContents.read(link) == [1, 2])
    }

    @Test func aFullDiskIsReported() throws {
        let full = try OutputFile.appending(to: "/dev/full")
        #expect(!full.write([1]))
        let (taken, failure) = full.append([1, 2])
        #expect(taken == 0 && failure == SystemError("write", ENOSPC))
    }

    @Test func aFIFOWithoutAReaderIsNoLog() {
        let path = temporaryPath(".fifo")
        unsafe mkfifo(path, 0o600)
        defer { removeFile(path) }
        #expect(throws: SystemError("open", ENXIO)) { try OutputFile.appending(to: path) }
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
}
