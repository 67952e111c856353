internal import Glibc
internal import Synchronization

/// An open regular file. All of its calls may block: they belong on a thread for that (`CallThreads`).
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
    /// -1 once it is closed.
    private let descriptor: Atomic<Int32>

    private init(_ descriptor: Int32, _ facts: Facts) {
        self.descriptor = Atomic(descriptor)
        self.facts = facts
    }

    deinit { self.close() }

    /// Closes the file. It must not be read meanwhile, nor after that.
    public func close() {
        let descriptor = self.descriptor.exchange(-1, ordering: .relaxed)
        if descriptor >= 0 { Glibc.close(descriptor) }
    }

    /// Opens the file at a path, links followed.
    public static func open(_ path: String) -> Opening {
        let flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK
        return self.opened(unsafe Glibc.open(path, flags), "open")
    }

    /// Takes what a system call returned: a descriptor, or -1 with errno.
    static func opened(_ descriptor: Int32, _ call: String) -> Opening {
        guard descriptor >= 0 else {
            let error = SystemError.last(call)
            if error.isAbsence { return .absent }
            return error.isDenied ? .denied : .failed(error)
        }
        var status = stat()
        // The kernel writes this one record.
        guard unsafe fstat(descriptor, &status) == 0 else {
            let error = SystemError.last("fstat")
            Glibc.close(descriptor)
            return .failed(error)
        }
        let facts = Facts(
            size: Int(status.st_size), modified: Int64(status.st_mtim.tv_sec), nanoseconds: status.st_mtim.tv_nsec)
        let file = OpenFile(descriptor, facts)
        return switch status.st_mode & S_IFMT {
        case S_IFREG: .file(file)
        case S_IFDIR: .folder
        default: .absent
        }
    }

    /// Reads `count` bytes from `offset` on; fewer if the file ends before.
    public func read(at offset: Int, count: Int) throws(SystemError) -> [UInt8] {
        let descriptor = self.descriptor.load(ordering: .relaxed)
        var failure: SystemError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                // The kernel writes at most as many bytes as the buffer has room for behind those that are filled.
                let got = unsafe pread(
                    descriptor, buffer.baseAddress! + filled, count - filled, off_t(offset + filled))
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
