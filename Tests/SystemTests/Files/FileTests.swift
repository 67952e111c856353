import Glibc
import TestSupport
import Testing

@testable import System

@Suite struct FileTests {
    @Test func `lines are appended and read back`() throws {
        let path = temporaryPath(".log")
        defer { removeFile(path) }
        let file = try OutputFile.appending(to: path)
        #expect(!file.isTerminal)
        #expect(file.append(Array("one\n".utf8)).failure == nil)
        #expect(file.append([]).failure == nil)
        #expect(try OutputFile.appending(to: path).append(Array("two\n".utf8)).failure == nil)
        #expect(try FileContents.read(path) == Array("one\ntwo\n".utf8))
    }

    @Test func `a file of several pieces is read whole`() throws {
        let path = temporaryPath(".bin")
        defer { removeFile(path) }
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        #expect(try OutputFile.appending(to: path).append(bytes).failure == nil)
        #expect(try FileContents.read(path) == bytes)
    }

    @Test func `a file too large for a certificate is refused`() throws {
        let path = temporaryPath(".bin")
        defer { removeFile(path) }
        let file = try OutputFile.appending(to: path)
        #expect(file.append([UInt8](repeating: 0, count: FileContents.limit)).failure == nil)
        #expect(try FileContents.read(path).count == FileContents.limit)
        #expect(file.append([0]).failure == nil)
        #expect(throws: FileError.tooLarge) { try FileContents.read(path) }
    }

    @Test func `what cannot be opened is an error`() {
        let missing = temporaryPath("/missing")
        #expect(throws: FileError.system(SystemError("open", ENOENT))) { try FileContents.read(missing) }
        #expect(throws: SystemError("open", ENOENT)) { try OutputFile.appending(to: missing) }
        #expect(throws: SystemError("open", EISDIR)) { try OutputFile.appending(to: "/tmp") }
    }

    /// None of them is waited for, as a FIFO without a writer would be.
    @Test func `only regular files are read`() throws {
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
        for (path, type) in [
            (folder, .directory), (fifo, .fifo), (link, .fifo), (socket, .socket),
            ("/dev/zero", .device),
        ] as [(String, FileError.Kind)] {
            #expect(throws: FileError.notRegular(type)) { try FileContents.read(path) }
        }
        #expect(FileError.notRegular(.fifo).description == "it is a FIFO, not a regular file")
        #expect(throws: FileError.notRegular(.directory)) { try FileContents.read(folder, .any) }
    }

    @Test func `a link to a regular file is followed`() throws {
        let (path, link) = (temporaryPath(".txt"), temporaryPath(".link"))
        defer { for path in [path, link] { removeFile(path) } }
        #expect(try OutputFile.appending(to: path).append([1, 2]).failure == nil)
        unsafe symlink(path, link)
        #expect(try FileContents.read(link) == [1, 2])
    }

    @Test func `a full disk is reported`() throws {
        let full = try OutputFile.appending(to: "/dev/full")
        #expect(full.append([1]).failure == SystemError("write", ENOSPC))
        let (taken, failure) = full.append([1, 2])
        #expect(taken == 0 && failure == SystemError("write", ENOSPC))
    }

    @Test func `a FIFO without a reader cannot be a log`() {
        let path = temporaryPath(".fifo")
        unsafe mkfifo(path, 0o600)
        defer { removeFile(path) }
        #expect(throws: SystemError("open", ENXIO)) { try OutputFile.appending(to: path) }
    }
}
