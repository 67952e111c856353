internal import CLinux
internal import Glibc

/// An open regular file. All of its calls but `readCached` may block, and so may its end, which closes it: they belong on a thread for that
/// (`CallThreads`).
public final class OpenFile: Sendable {
    /// What the file was like when it was opened.
    public struct Facts: Equatable, Sendable {
        /// In bytes.
        public let size: Int
        /// When its contents last changed, in seconds since 1970-01-01 00:00 UTC.
        public let modified: Int64
        /// The rest of that time, below a second.
        public let nanoseconds: Int

        /// The parts as the properties have them.
        public init(size: Int, modified: Int64, nanoseconds: Int) {
            self.size = size
            self.modified = modified
            self.nanoseconds = nanoseconds
        }
    }

    /// What may be read without waiting.
    enum CachedReads {
        case none
        /// What is cached, unless the file system notes the read (`isReadNoted`).
        case unnoted
        /// What is cached.
        case all
    }

    /// What a path led to.
    public enum Opening: Sendable {
        case file(OpenFile)
        case folder
        /// There is nothing, or no file: a FIFO, a socket, a device. Or a link leads out of the folder, or round in a circle.
        case absent
        /// The gateway's user may not read it.
        case denied
        /// The system could not open it, though it may be there.
        case failed(SystemError)
    }

    /// What the file was like when it was opened.
    public let facts: Facts
    private let descriptor: Int32
    /// Reading what is cached never waits.
    private let readsCached: Bool

    private init(_ descriptor: Int32, _ facts: Facts, readsCached: Bool) {
        self.descriptor = descriptor
        self.facts = facts
        self.readsCached = readsCached
    }

    deinit { close(self.descriptor) }

    /// Opens the file at a path, links followed.
    public static func open(_ path: String) -> Opening {
        let flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK
        return self.opened(unsafe Glibc.open(path, flags), "open")
    }

    /// Takes what a system call returned: a descriptor, or -1 with errno.
    ///
    /// - Parameter reads: what may be read without waiting.
    static func opened(
        _ descriptor: Int32, _ call: String, reads: CachedReads = .none
    ) -> Opening {
        guard descriptor >= 0 else {
            let error = SystemError.last(call)
            if error.isAbsence { return .absent }
            return error.isDenied ? .denied : .failed(error)
        }
        var status = stat()
        // The kernel writes this one record.
        guard unsafe fstat(descriptor, &status) == 0 else {
            let error = SystemError.last("fstat")
            close(descriptor)
            return .failed(error)
        }
        let facts = Facts(
            size: Int(status.st_size), modified: Int64(status.st_mtim.tv_sec), nanoseconds: status.st_mtim.tv_nsec)
        let readsCached =
            switch reads {
            case .none: false
            case .unnoted: !self.isReadNoted(status)
            case .all: true
            }
        let file = OpenFile(descriptor, facts, readsCached: readsCached)
        return switch status.st_mode & S_IFMT {
        case S_IFREG: .file(file)
        case S_IFDIR: .folder
        default: .absent
        }
    }

    /// Whether the file system changes the access time of a file that is read now ("relatime", mount(8)): if it is not later than the last
    /// change, or a day old. That may wait for its journal. A minute is for the clocks.
    static func isReadNoted(accessed: Duration, modified: Duration, changed: Duration, now: Duration) -> Bool {
        accessed <= max(modified, changed) || now - accessed >= .seconds((24 * 60 - 1) * 60)
    }

    private static func isReadNoted(_ status: stat) -> Bool {
        func duration(_ time: timespec) -> Duration { .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec) }
        return self.isReadNoted(
            accessed: duration(status.st_atim), modified: duration(status.st_mtim), changed: duration(status.st_ctim),
            now: .seconds(time(nil)))
    }

    /// Reads bytes that are in the page cache, without waiting.
    ///
    /// - Parameters:
    ///   - offset: of the first byte.
    ///   - buffer: where they go, from `start` on.
    ///   - count: the most bytes. The buffer has room for them.
    /// - Returns: how many, at least one. Throws if `read` is to be asked: the first one is not there, or not known to be.
    public func readCached(
        at offset: Int, into buffer: ReadBuffer, from start: Int, count: Int
    ) throws(NotCached) -> Int {
        guard self.readsCached else { throw NotCached() }
        var bytes = buffer.mutableSpan
        var room = bytes._mutatingExtracting(start..<(start + count))
        // The kernel writes at most `count` bytes, which the room has.
        let got = unsafe room.withUnsafeMutableBufferPointer { room in
            unsafe gateway_read_cached(
                self.descriptor, room.baseAddress, room.count, off_t(offset))
        }
        guard got > 0 else { throw NotCached() }
        return got
    }

    /// Reads `count` bytes from `offset` on; fewer if the file ends before.
    public func read(at offset: Int, count: Int) throws(SystemError) -> [UInt8] {
        var failure: SystemError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                // The kernel writes at most as many bytes as the buffer has room for behind those that are filled.
                let got = unsafe pread(
                    self.descriptor, buffer.baseAddress! + filled, count - filled, off_t(offset + filled))
                if got == 0 { return }
                if got > 0 {
                    filled += got
                } else if errno != EINTR {
                    failure = .last("pread")
                    return
                }
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
