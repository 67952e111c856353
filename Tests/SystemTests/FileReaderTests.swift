import Glibc
import Synchronization
import TestSupport
import Testing

@testable import System

/// A file system of which some files hang until they are let go.
private final class HangingFiles: Sendable {
    private let state = Mutex<(hanging: Set<String>, reads: [String])>(([], []))
    /// What hangs reads from the one, and is let go when the other is closed.
    private let gate: (near: Int32, far: Int32) = socketPair()

    init(_ hanging: Set<String>) { self.state.withLock { $0.hanging = hanging } }

    deinit { Kernel.close(self.gate.near) }

    var access: FileReader.Access {
        FileReader.Access(
            read: { path throws(FileError) in
                self.state.withLock { $0.reads.append(path) }
                if self.state.withLock({ $0.hanging.contains(path) }) { _ = waitToRead(self.gate.near) }
                return Array(path.utf8)
            }, stamp: { _ in nil })
    }

    var reads: [String] { self.state.withLock { $0.reads } }

    func letGo() {
        self.state.withLock { $0.hanging = [] }
        Kernel.close(self.gate.far)
    }
}

@Suite struct FileReaderTests {
    private static let limit = Duration.milliseconds(50)

    private func turn(_ loop: EventLoop, until isDone: () -> Bool) throws {
        let end = MonotonicInstant.now() + .seconds(20)
        while !isDone() {
            try #require(.now() < end, "nothing happens any more")
            loop.turn(waitingAtMost: .seconds(1))
        }
    }

    @Test func filesAreReadWhileTheLoopTurns() throws {
        let path = temporaryPath(".txt")
        defer { removeFile(path) }
        #expect(try OutputFile.appending(to: path).write([1, 2, 3]))
        let loop = try EventLoop()
        let reader = try FileReader(on: loop)
        var files: FileSet?
        reader.read([path, path + ".none"]) { files = $0 }
        #expect(files == nil)
        try self.turn(loop) { files != nil }
        #expect(try files?.contents(of: path) == [1, 2, 3])
        #expect(throws: FileError.system(SystemError("open", ENOENT))) { try files?.contents(of: path + ".none") }
        #expect(files?.stamps == [path: FileStamp(path), path + ".none": nil])
        var looks: [String: FileStamp?] = [:]
        reader.look(at: [path]) { looks = (try? $0.get()) ?? [:] }
        try self.turn(loop) { !looks.isEmpty }
        #expect(looks == [path: FileStamp(path)])
    }

    @Test func nothingToReadIsAnsweredAtOnce() throws {
        var isAnswered = false
        try FileReader(on: EventLoop()).read([]) { _ in isAnswered = true }
        #expect(isAnswered)
    }

    @Test func aFileThatHangsIsGivenUpAndNamed() throws {
        let system = HangingFiles(["b"])
        let loop = try EventLoop()
        let reader = try FileReader(on: loop, limit: Self.limit, access: system.access)
        let files = reader.readNow(["a", "b", "c"])
        #expect(try files.contents(of: "a") == Array("a".utf8))
        #expect(throws: FileError.late(Self.limit)) { try files.contents(of: "b") }
        #expect(throws: FileError.behind("b")) { try files.contents(of: "c") }
        system.letGo()
    }

    @Test func aFileThatHangsCostsOneThreadAndOthersAreReadMeanwhile() throws {
        let system = HangingFiles(["b"])
        let loop = try EventLoop()
        let reader = try FileReader(on: loop, limit: Self.limit, access: system.access)
        _ = reader.readNow(["b"])
        for _ in 0..<10 {
            // At once, and without another thread.
            var files: FileSet?
            reader.read(["a", "b"]) { files = $0 }
            #expect(throws: FileError.stuck) { try files?.contents(of: "b") }
            #expect(throws: FileError.behind("b")) { try files?.contents(of: "a") }
        }
        #expect(system.reads == ["b"])
        #expect(try reader.readNow(["a"]).contents(of: "a") == Array("a".utf8))
        system.letGo()
        // When the system has let go of it, it is a file as any other.
        try self.turn(loop) { (try? reader.readNow(["b"]).contents(of: "b")) != nil }
    }

    @Test func noMoreThanSoManyAreLeftBehind() throws {
        let names = ["a", "b", "c", "d"]
        let system = HangingFiles(Set(names))
        let loop = try EventLoop()
        let reader = try FileReader(on: loop, limit: Self.limit, access: system.access)
        #expect(names.count == FileReader.mostThreads)
        for name in names { _ = reader.readNow([name]) }
        var files: FileSet?
        reader.read(["e"]) { files = $0 }
        #expect(throws: FileError.crowded(4)) { try files?.contents(of: "e") }
        #expect(!system.reads.contains("e"))
        system.letGo()
        try self.turn(loop) { (try? reader.readNow(["e"]).contents(of: "e")) != nil }
    }

    @Test func aFIFOIsRefusedByTheSystemItself() throws {
        let path = temporaryPath(".fifo")
        unsafe mkfifo(path, 0o600)
        defer { removeFile(path) }
        let files = try FileReader.readNow([path])
        #expect(throws: FileError.notRegular("a FIFO")) { try files.contents(of: path) }
    }

    /// Opened as a shell's `<(command)` is: the thread waits for the writer, and its caller only so long.
    @Test func aFIFOWithoutAWriterIsWaitedForWhereAnyFileMayCome() throws {
        let path = temporaryPath(".fifo")
        unsafe mkfifo(path, 0o600)
        defer { removeFile(path) }
        let loop = try EventLoop()
        let reader = try FileReader(on: loop, limit: Self.limit, access: .system(.any))
        #expect(throws: FileError.late(Self.limit)) { try reader.readNow([path]).contents(of: path) }
        // With a writer it has an end, and the thread that was left behind finds it.
        let writer = unsafe open(path, O_WRONLY | O_CLOEXEC)
        Kernel.close(writer)
    }
}
