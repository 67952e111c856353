import Glibc
import Synchronization
import TestSupport
import Testing

@testable import System

/// A file system of which some files hang until they are released.
private final class HangingFiles: Sendable {
    private let state: Mutex<(hanging: [String: Doorbell], reads: [String])>
    /// Rings when a file begins to hang.
    private let hangs: Doorbell

    init(_ hanging: [String]) throws {
        var bells: [String: Doorbell] = [:]
        for path in hanging { bells[path] = try Doorbell() }
        self.state = Mutex((bells, []))
        self.hangs = try Doorbell()
    }

    var access: FileReader.Access {
        FileReader.Access(
            read: { path throws(FileError) in
                let bell = self.state.withLock {
                    $0.reads.append(path)
                    return $0.hanging[path]
                }
                if let bell {
                    self.hangs.ring()
                    bell.wait()
                }
                return Array(path.utf8)
            }, stamp: { _ in nil })
    }

    var reads: [String] { self.state.withLock { $0.reads } }

    func waitUntilOneHangs() { self.hangs.wait() }

    func release() {
        let bells = self.state.withLock { state in
            defer { state.hanging = [:] }
            return state.hanging.values
        }
        for bell in bells { bell.ring() }
    }
}

@Suite struct FileReaderTests {
    /// Over before the loop turns: only what has hung by then is late, however fast the machine is.
    private static let limit = Duration.nanoseconds(1)

    private func turn(_ loop: EventLoop, until isDone: () -> Bool) throws {
        let end = MonotonicInstant.now() + .seconds(20)
        while !isDone() {
            try #require(.now() < end, "nothing happens any more")
            loop.turn(waitingAtMost: .seconds(1))
        }
    }

    /// Reads files of which one hangs, until the limit is over there.
    private func readLate(
        _ paths: [String], _ reader: FileReader, _ loop: EventLoop, _ system: HangingFiles
    ) throws -> FileSet? {
        let usual = reader.limit
        reader.limit = Self.limit
        defer { reader.limit = usual }
        var files: FileSet?
        reader.read(paths) { files = $0 }
        system.waitUntilOneHangs()
        try self.turn(loop) { files != nil }
        return files
    }

    @Test func `files are read while the loop turns`() throws {
        let path = temporaryPath(".txt")
        defer { removeFile(path) }
        #expect(try OutputFile.appending(to: path).append([1, 2, 3]).failure == nil)
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

    @Test func `a request for no file is answered at once`() throws {
        var isAnswered = false
        try FileReader(on: EventLoop()).read([]) { _ in isAnswered = true }
        #expect(isAnswered)
    }

    @Test func `a file that hangs is left behind and named`() throws {
        let system = try HangingFiles(["b"])
        let loop = try EventLoop()
        let reader = try FileReader(on: loop, access: system.access)
        let files = try self.readLate(["a", "b", "c"], reader, loop, system)
        #expect(try files?.contents(of: "a") == Array("a".utf8))
        #expect(throws: FileError.late(Self.limit)) { try files?.contents(of: "b") }
        #expect(throws: FileError.behind("b")) { try files?.contents(of: "c") }
        system.release()
    }

    @Test func `a file that hangs costs one thread and others are still read`() throws {
        let system = try HangingFiles(["b"])
        let loop = try EventLoop()
        let reader = try FileReader(on: loop, access: system.access)
        _ = try self.readLate(["b"], reader, loop, system)
        for _ in 0..<10 {
            // At once, and without another thread.
            var files: FileSet?
            reader.read(["a", "b"]) { files = $0 }
            #expect(throws: FileError.stuck) { try files?.contents(of: "b") }
            #expect(throws: FileError.behind("b")) { try files?.contents(of: "a") }
        }
        #expect(system.reads == ["b"])
        #expect(try reader.readNow(["a"]).contents(of: "a") == Array("a".utf8))
        system.release()
        // Once the system has returned, it can be read again.
        try self.turn(loop) { (try? reader.readNow(["b"]).contents(of: "b")) != nil }
    }

    @Test func `the number of reads left behind is bounded`() throws {
        let names = ["a", "b", "c", "d"]
        let system = try HangingFiles(names)
        let loop = try EventLoop()
        let reader = try FileReader(on: loop, access: system.access)
        #expect(names.count == FileReader.mostThreads)
        for name in names { _ = try self.readLate([name], reader, loop, system) }
        var files: FileSet?
        reader.read(["e"]) { files = $0 }
        #expect(throws: FileError.crowded(4)) { try files?.contents(of: "e") }
        #expect(!system.reads.contains("e"))
        system.release()
        try self.turn(loop) { (try? reader.readNow(["e"]).contents(of: "e")) != nil }
    }

    @Test func `the system's own access refuses a FIFO`() throws {
        let path = temporaryPath(".fifo")
        unsafe mkfifo(path, 0o600)
        defer { removeFile(path) }
        let files = try FileReader.readNow([path])
        #expect(throws: FileError.notRegular(.fifo)) { try files.contents(of: path) }
    }

    /// Like `<(command)` of a shell: the thread waits for the writer, but the request only up to its limit.
    @Test func `a FIFO without a writer is waited for where any file is allowed`() throws {
        let path = temporaryPath(".fifo")
        unsafe mkfifo(path, 0o600)
        defer { removeFile(path) }
        let loop = try EventLoop()
        let reader = try FileReader(on: loop, limit: Self.limit, access: .system(.any))
        #expect(throws: FileError.late(Self.limit)) { try reader.readNow([path]).contents(of: path) }
        // With a writer it has an end, and the thread that was left behind ends.
        let writer = unsafe open(path, O_WRONLY | O_CLOEXEC)
        Kernel.close(writer)
    }
}
