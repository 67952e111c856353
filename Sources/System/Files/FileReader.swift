internal import Glibc
internal import Synchronization

/// Reads files for a loop that must not wait: opening and reading takes as long as a file system likes, for ever where it is one of a
/// network whose server hangs.
///
/// Each request has a thread of its own (`BlockingCalls`) and `limit`; when that is over it is answered with what came so far, and the
/// thread is left behind until the system lets go of it. Meanwhile a request that names the file it hangs at is refused at once: that
/// file is asked for every few seconds, and must not cost a thread each time. Requests for other files go on as usual, so that a
/// configuration can be changed to one that does not need that file. `mostThreads` bounds how many are left behind.
///
/// Confined to the loop's thread.
package final class FileReader {
    /// How files are reached, so that tests can have a file system that hangs.
    package struct Access: Sendable {
        var read: @Sendable (String) throws(FileError) -> [UInt8]
        var stamp: @Sendable (String) -> FileStamp?
        var group: @Sendable (String) throws(FileError) -> UInt32?

        package init(
            read: @escaping @Sendable (String) throws(FileError) -> [UInt8],
            stamp: @escaping @Sendable (String) -> FileStamp? = { FileStamp($0) },
            group: @escaping @Sendable (String) throws(FileError) -> UInt32? = Self.numberOfGroup
        ) {
            self.read = read
            self.stamp = stamp
            self.group = group
        }

        private static func numberOfGroup(_ name: String) throws(FileError) -> UInt32? {
            do throws(SystemError) { return try SocketFileAccess.number(ofGroup: name) } catch { throw .system(error) }
        }

        /// The system's.
        package static func system(_ kind: FileContents.Kind = .regular) -> Access {
            Access(read: { path throws(FileError) in try FileContents.read(path, kind) })
        }
    }

    /// How long a request may take.
    package static let limit = Duration.seconds(5)
    /// The most requests at a time, those left behind included.
    static let mostThreads = 4

    private let loop: EventLoop
    private let limit: Duration
    private let access: Access
    private let calls: BlockingCalls
    private var readings: [ObjectIdentifier: Reading] = [:]

    package init(
        on loop: EventLoop, limit: Duration = FileReader.limit, access: Access = .system()
    ) throws(SystemError) {
        self.loop = loop
        self.limit = limit
        self.access = access
        self.calls = try BlockingCalls(on: loop)
    }

    // MARK: - Requests

    /// Reads files, in the order given. The answer comes within the limit, on the loop's thread, at once where there is nothing to read.
    package func read(_ paths: [String], then: @escaping (FileSet) -> Void) {
        let access = self.access
        self.each(paths) { path in
            // Before it is read: a change in between is found by the next look.
            let stamp = access.stamp(path)
            return FileSet.File(
                stamp: stamp,
                contents: Result { () throws(FileError) in try access.read(path) })
        } then: { files, obstacle in
            then(FileSet(files, obstacle: obstacle))
        }
    }

    /// Looks whether files are as they were; a file that is not there has no stamp.
    package func look(at paths: [String], then: @escaping (Result<[String: FileStamp?], FileSet.Obstacle>) -> Void) {
        let access = self.access
        self.each(paths) {
            access.stamp($0)
        } then: { stamps, obstacle in
            then(obstacle.map { .failure($0) } ?? .success(stamps))
        }
    }

    /// Looks the numbers of groups up, which the system may ask its network for. What it says of each is `nil` where there is no such
    /// group.
    package func look(upGroups names: [String], then: @escaping ([String: Result<UInt32?, FileError>]) -> Void) {
        let access = self.access
        self.each(names) { name in
            Result { () throws(FileError) in try access.group(name) }
        } then: { found, obstacle in
            var answers = found
            for name in names where answers[name] == nil {
                guard let obstacle else { continue }
                answers[name] = .failure(obstacle.path == name ? obstacle.error : .behind(obstacle.path))
            }
            then(answers)
        }
    }

    /// Reads files for whoever has nothing else to do yet; waits no longer than the limit.
    package func readNow(_ paths: [String]) -> FileSet {
        var files: FileSet?
        self.read(paths) { files = $0 }
        while true {
            if let files { return files }
            self.loop.turn()
        }
    }

    /// Reads files for a program without a loop, likewise.
    package static func readNow(_ paths: [String], _ kind: FileContents.Kind = .regular) throws(SystemError) -> FileSet
    {
        let loop = try EventLoop(batch: 4)
        return try FileReader(on: loop, access: .system(kind)).readNow(paths)
    }

    private func each<Value: Sendable>(
        _ paths: [String], _ body: @escaping @Sendable (String) -> Value,
        then: @escaping ([String: Value], FileSet.Obstacle?) -> Void
    ) {
        guard let first = paths.first else { return then([:], nil) }
        let stuck = Set(self.readings.values.compactMap(\.hangsAt))
        if let path = paths.first(where: stuck.contains) { return then([:], .init(path: path, error: .stuck)) }
        guard self.calls.count < Self.mostThreads else {
            return then([:], .init(path: first, error: .crowded(self.calls.count)))
        }
        let progress = Progress<Value>()
        let limit = self.limit
        let reading = Reading(self.loop) {
            progress.current
        } answer: { late in
            then(progress.done, late.map { .init(path: $0, error: .late(limit)) })
        }
        let id = ObjectIdentifier(reading)
        do throws(SystemError) {
            try self.calls.make {
                for path in paths {
                    progress.begin(path)
                    progress.end(path, body(path))
                }
            } then: { [unowned self] in
                self.readings[id] = nil
                reading.finish(late: nil)
            }
        } catch {
            return then([:], .init(path: first, error: .system(error)))
        }
        self.readings[id] = reading
        reading.setLimit(limit)
    }

    /// How far the thread of a request is.
    private final class Progress<Value: Sendable>: Sendable {
        private let state = Mutex<(done: [String: Value], current: String?)>(([:], nil))

        func begin(_ path: String) { self.state.withLock { $0.current = path } }

        func end(_ path: String, _ value: Value) {
            self.state.withLock {
                $0.done[path] = value
                $0.current = nil
            }
        }

        var current: String? { self.state.withLock { $0.current } }
        var done: [String: Value] { self.state.withLock { $0.done } }
    }

    /// A request whose thread has not ended.
    private final class Reading: TimerHandler {
        private unowned let loop: EventLoop
        private let current: () -> String?
        /// `nil`: given.
        private var answer: ((_ late: String?) -> Void)?
        private var timer: EventLoop.TimerID?

        init(_ loop: EventLoop, current: @escaping () -> String?, answer: @escaping (_ late: String?) -> Void) {
            self.loop = loop
            self.current = current
            self.answer = answer
        }

        func setLimit(_ limit: Duration) { self.loop.setTimer(&self.timer, at: .now() + limit, self) }

        /// The file that it was left behind with.
        var hangsAt: String? { self.answer == nil ? self.current() : nil }

        func timerFired() {
            self.timer = nil
            // Between two files it hangs at none; the next moment tells.
            guard let path = self.current() else { return self.setLimit(.milliseconds(1)) }
            self.finish(late: path)
        }

        /// - Parameter late: the file that takes too long; `nil`: all is done.
        func finish(late: String?) {
            self.loop.cancelTimer(&self.timer)
            let answer = self.answer
            self.answer = nil
            answer?(late)
        }
    }
}

/// Files as they were read, with those that were not.
package struct FileSet: Sendable {
    package struct File: Sendable {
        /// As it was before it was read; `nil`: there was none.
        package let stamp: FileStamp?
        package let contents: Result<[UInt8], FileError>
    }

    /// The file at which a request ended before its end.
    package struct Obstacle: Error, Equatable, Sendable, CustomStringConvertible {
        package let path: String
        package let error: FileError

        package var description: String { "\(self.path): \(self.error)" }
    }

    private let files: [String: File]
    private let obstacle: Obstacle?

    package init() { self.init([:], obstacle: nil) }

    init(_ files: [String: File], obstacle: Obstacle?) {
        self.files = files
        self.obstacle = obstacle
    }

    /// The bytes of a file that was asked for.
    package func contents(of path: String) throws(FileError) -> [UInt8] {
        if let file = self.files[path] { return try file.contents.get() }
        guard let obstacle = self.obstacle else { throw .system(SystemError("open", ENOENT)) }
        throw obstacle.path == path ? obstacle.error : .behind(obstacle.path)
    }

    /// The stamps of all that were reached.
    package var stamps: [String: FileStamp?] { self.files.mapValues(\.stamp) }
}
