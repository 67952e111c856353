internal import Glibc
internal import Synchronization

/// Reads files for a loop that must not wait. Opening and reading a file can take any time, and for ever on a network file
/// system if its server hangs.
///
/// Each request has a thread (`BlockingCalls`) and a time limit. When that is over, the request is answered with what was read
/// so far, and its thread is left behind until the system returns. Meanwhile every request for the file that hangs is refused
/// at once: it is asked for every few seconds, and may not cost a thread each time. Requests for other files go on, so that a
/// configuration can be changed to one without that file. At most `mostThreads` are left behind.
///
/// Confined to the loop's thread.
public final class FileReader {
    /// The access to files. Tests replace it by a file system that hangs.
    public struct Access: Sendable {
        var read: @Sendable (String) throws(FileError) -> [UInt8]
        var stamp: @Sendable (String) -> FileStamp?
        var group: @Sendable (String) throws(FileError) -> UInt32?
        var names: @Sendable (String) throws(FileError) -> [String]?

        /// By default all but `read` is the system's.
        public init(
            read: @escaping @Sendable (String) throws(FileError) -> [UInt8],
            stamp: @escaping @Sendable (String) -> FileStamp? = { FileStamp($0) },
            group: @escaping @Sendable (String) throws(FileError) -> UInt32? = Self.numberOfGroup,
            names: @escaping @Sendable (String) throws(FileError) -> [String]? = Self.names
        ) {
            self.read = read
            self.stamp = stamp
            self.group = group
            self.names = names
        }

        /// As `SocketFileAccess.number(ofGroup:)`. Blocks.
        public static func numberOfGroup(_ name: String) throws(FileError) -> UInt32? {
            do throws(SystemError) { return try SocketFileAccess.number(ofGroup: name) } catch { throw .system(error) }
        }

        /// The system's file systems.
        public static func system(_ kind: FileContents.Kind = .regular) -> Access {
            Access(read: { path throws(FileError) in try FileContents.read(path, kind) })
        }
    }

    /// How long a request may take.
    public static let limit = Duration.seconds(5)
    /// The most requests at a time, those left behind included.
    public static let mostThreads = 4

    private let loop: EventLoop
    /// How long the next request may take.
    var limit: Duration
    private let access: Access
    private let mostThreads: Int
    private let calls: BlockingCalls
    private var readings: [ObjectIdentifier: Reading] = [:]

    /// Throws if the system has no descriptor for the answers.
    public init(
        on loop: EventLoop, limit: Duration = FileReader.limit, access: Access = .system(),
        mostThreads: Int = FileReader.mostThreads
    ) throws(SystemError) {
        self.loop = loop
        self.limit = limit
        self.access = access
        self.mostThreads = mostThreads
        self.calls = try BlockingCalls(on: loop)
    }

    // MARK: - Requests

    /// Reads files in the given order. The answer comes within the limit, on the loop's thread. Without any path it comes at
    /// once.
    public func read(_ paths: [String], then: @escaping (FileSet) -> Void) {
        let access = self.access
        self.each(paths) { path in
            // Taken before reading, so that the next look finds a change in between.
            let stamp = access.stamp(path)
            return FileSet.File(
                stamp: stamp,
                contents: Result { () throws(FileError) in try access.read(path) })
        } then: { files, obstacle in
            then(FileSet(files, obstacle: obstacle))
        }
    }

    /// Reads a file, or the files of a folder (`Access.contents`), unless they are as they were.
    ///
    /// - Parameters:
    ///   - known: how they were; `nil`: they are read in any case.
    ///   - make: makes something of them, on the same thread.
    ///   - then: gets that; `nil` if they are as they were.
    public func read<Value: Sendable>(
        contentsOf path: String, unless known: FolderContents.Stamps?,
        _ make: @escaping @Sendable (FolderContents) -> Value, then: @escaping (Result<Value?, FileError>) -> Void
    ) {
        let access = self.access
        self.each([path]) { path in
            access.contents(of: path, unless: known).map(make)
        } then: { made, obstacle in
            then(obstacle.map { .failure($0.error) } ?? .success(made[path] ?? nil))
        }
    }

    /// Gets the stamps of files, to see whether they have changed. A missing file has no stamp.
    public func look(at paths: [String], then: @escaping (Result<[String: FileStamp?], FileSet.Obstacle>) -> Void) {
        let access = self.access
        self.each(paths) {
            access.stamp($0)
        } then: { stamps, obstacle in
            then(obstacle.map { .failure($0) } ?? .success(stamps))
        }
    }

    /// Looks up the numbers of groups, which may need the network. The number is `nil` if there is no such group.
    public func look(upGroups names: [String], then: @escaping ([String: Result<UInt32?, FileError>]) -> Void) {
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

    /// Reads files and waits for the answer, no longer than the limit. For callers that have nothing else to do.
    func readNow(_ paths: [String]) -> FileSet {
        var files: FileSet?
        self.read(paths) { files = $0 }
        while true {
            if let files { return files }
            self.loop.turn()
        }
    }

    /// The same for a program without a loop.
    public static func readNow(_ paths: [String], _ kind: FileContents.Kind = .regular) throws(SystemError) -> FileSet {
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
        guard self.calls.count < self.mostThreads else {
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
                reading.end(late: nil)
            }
        } catch {
            return then([:], .init(path: first, error: .system(error)))
        }
        self.readings[id] = reading
        reading.setLimit(limit)
    }

    /// How far the thread of a request has got.
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

    /// A request with a thread that has not ended.
    private final class Reading: TimerHandler {
        private unowned let loop: EventLoop
        private let current: () -> String?
        /// `nil` once it was called.
        private var answer: ((_ late: String?) -> Void)?
        private var timer: EventLoop.TimerID?

        init(_ loop: EventLoop, current: @escaping () -> String?, answer: @escaping (_ late: String?) -> Void) {
            self.loop = loop
            self.current = current
            self.answer = answer
        }

        func setLimit(_ limit: Duration) { self.loop.setTimer(&self.timer, at: .now() + limit, self) }

        /// The file at which it was left behind.
        var hangsAt: String? { self.answer == nil ? self.current() : nil }

        func timerFired() {
            self.timer = nil
            // It is between two files. Look again in a moment.
            guard let path = self.current() else { return self.setLimit(.milliseconds(1)) }
            self.end(late: path)
        }

        /// - Parameter late: the file that takes too long; `nil` if all were read.
        func end(late: String?) {
            self.loop.cancelTimer(&self.timer)
            let answer = self.answer
            self.answer = nil
            answer?(late)
        }
    }
}
