internal import Glibc

/// Whole small files: certificates, keys, a configuration.
package enum FileContents {
    /// The most that is read, in bytes: a file of more is a mistake.
    static let limit = 16 << 20

    /// What a path may lead to, once links are followed.
    package enum Kind: Sendable {
        /// A regular file. Nothing else can be read whole and read again: a FIFO has a writer that may never come, a device no end.
        case regular
        /// Whatever has bytes and an end, also a FIFO (`<(command)` of a shell) or a terminal. Opening it waits for its writer.
        case any
    }

    /// Reads a file. Blocks for as long as its file system takes: see `FileReader`.
    package static func read(_ path: String, _ kind: Kind = .regular) throws(FileError) -> [UInt8] {
        // A FIFO without a writer, a terminal without a carrier: open(2) itself would wait. On a regular file it changes nothing.
        let waiting = kind == .regular ? O_NONBLOCK : 0
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | waiting)
        guard descriptor >= 0 else {
            let error = SystemError.last("open")
            // What a socket says to open(2), and a device that nobody drives.
            guard error.code == ENXIO, let status = Status(path) else { throw .system(error) }
            throw .notRegular(status.kind)
        }
        defer { close(descriptor) }
        // Of what was opened, not of what the path leads to: that may be something else by now.
        guard let status = Status(descriptor) else { throw .system(.last("fstat")) }
        guard status.isRegular || kind == .any && !status.isDirectory else { throw .notRegular(status.kind) }
        return try self.read(descriptor)
    }

    /// Reads what a descriptor has that was open when this process was started, and closes it unless it is one of the standard three. Blocks
    /// until its writer ends.
    ///
    /// To open it anew by its name (`/dev/stdin`) may be denied: a pipe is its maker's, whoever reads from it.
    package static func read(descriptor: Int32) throws(FileError) -> [UInt8] {
        guard let status = Status(descriptor) else { throw .system(.last("fstat")) }
        defer { if descriptor > 2 { close(descriptor) } }
        guard !status.isDirectory else { throw .notRegular(status.kind) }
        return try self.read(descriptor)
    }

    /// The path of the file that a descriptor leads to, by which it can be read again; `nil`: there is none, as for a pipe, or for a file
    /// that has no name any more.
    package static func path(of descriptor: Int32) -> String? {
        guard let status = Status(descriptor), status.isRegular, status.hasName,
            let path = try? OwnProcess.path(behind: "/proc/self/fd/\(descriptor)"), unsafe access(path, R_OK) == 0
        else { return nil }
        return path
    }

    /// Whether a path leads to what can be read once only: a FIFO, a device.
    package static func isReadOnce(_ path: String) -> Bool {
        Status(path).map { !$0.isRegular && !$0.isDirectory } ?? false
    }

    private static func read(_ descriptor: Int32) throws(FileError) -> [UInt8] {
        var contents: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            // The kernel writes at most `piece.count` bytes.
            let count = unsafe Glibc.read(descriptor, &piece, piece.count)
            if count == 0 { return contents }
            guard count > 0 else {
                if errno == EINTR { continue }
                // Whoever gave it to us may have made it so.
                if errno == EAGAIN, Kernel.waitToRead(descriptor, within: .seconds(60)) { continue }
                throw .system(.last("read"))
            }
            contents += piece[..<count]
            guard contents.count <= Self.limit else { throw .tooLarge }
        }
    }
}

/// Why a file was not read.
package enum FileError: Error, Hashable, Sendable, CustomStringConvertible {
    case system(SystemError)
    /// It is something else than a regular file, such as "a FIFO".
    case notRegular(String)
    /// It has more bytes than any file that is of use here.
    case tooLarge
    /// Opening or reading it has not come back within so long.
    case late(Duration)
    /// An earlier call for it has not come back yet, and another would not either.
    case stuck
    /// So many calls for other files have not come back that no more are made.
    case crowded(Int)
    /// It was to be read after that one, which was not.
    case behind(String)

    package var description: String {
        switch self {
        case .system(let error): error.reason
        case .notRegular(let kind): "it is \(kind), not a regular file"
        case .tooLarge: "it is larger than \(FileContents.limit >> 20) MiB"
        case .late(let limit): "reading it took longer than \(limit.components.seconds) s"
        case .stuck: "an earlier read of it has not come back yet"
        case .crowded(let count): "\(count) reads of other files have not come back yet"
        case .behind(let path): "\(path), which comes first, could not be read"
        }
    }
}

/// What the system says of a file, links followed.
private struct Status {
    private let record: stat

    init?(_ path: String) {
        var record = stat()
        // The kernel writes this one record.
        guard unsafe stat(path, &record) == 0 else { return nil }
        self.record = record
    }

    init?(_ descriptor: Int32) {
        var record = stat()
        // As above.
        guard unsafe fstat(descriptor, &record) == 0 else { return nil }
        self.record = record
    }

    var isRegular: Bool { self.record.st_mode & S_IFMT == S_IFREG }
    var isDirectory: Bool { self.record.st_mode & S_IFMT == S_IFDIR }
    var hasName: Bool { self.record.st_nlink > 0 }

    /// What it is, for people.
    var kind: String {
        switch self.record.st_mode & S_IFMT {
        case S_IFREG: "a regular file"
        case S_IFDIR: "a directory"
        case S_IFIFO: "a FIFO"
        case S_IFSOCK: "a socket"
        case S_IFCHR, S_IFBLK: "a device"
        default: "no file"
        }
    }

    var stamp: FileStamp { FileStamp(self.record) }
}

/// What tells one state of a file from another: replaced or rewritten, it has another stamp.
package struct FileStamp: Hashable, Sendable {
    private let device: UInt64
    private let inode: UInt64
    private let size: Int64
    private let changed: [Int]

    /// `nil`: there is no such file, or nobody may know.
    package init?(_ path: String) {
        guard let status = Status(path) else { return nil }
        self = status.stamp
    }

    fileprivate init(_ status: stat) {
        self.device = UInt64(status.st_dev)
        self.inode = UInt64(status.st_ino)
        self.size = Int64(status.st_size)
        let (modified, changed) = (status.st_mtim, status.st_ctim)
        self.changed = [modified.tv_sec, modified.tv_nsec, changed.tv_sec, changed.tv_nsec]
    }
}
