internal import Glibc

/// Reads whole small files: certificates, keys, a configuration.
public enum FileContents {
    /// The most bytes that are read. A larger file is a mistake.
    static let limit = 16 << 20

    /// What a path may lead to, once links are followed.
    public enum Kind: Sendable {
        /// Only a regular file. Nothing else can be read whole and read again: a FIFO may never have a writer, and a device has
        /// no end.
        case regular
        /// Also a FIFO (`<(command)` of a shell) or a terminal. Opening it waits for its writer.
        case any
    }

    /// Reads a file. Blocks for as long as its file system does: see `FileReader`.
    public static func read(_ path: String, _ kind: Kind = .regular) throws(FileError) -> [UInt8] {
        // open(2) would wait for a FIFO without a writer, or a terminal without a carrier. For a regular file this changes
        // nothing.
        let waiting = kind == .regular ? O_NONBLOCK : 0
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | waiting)
        guard descriptor >= 0 else {
            let error = SystemError.last("open")
            // The error for a socket, and for a device without a driver.
            guard error.code == ENXIO, let status = Status(path) else { throw .system(error) }
            throw .notRegular(status.type)
        }
        defer { close(descriptor) }
        // The status of the opened file: the path may lead to another one by now.
        guard let status = Status(descriptor) else { throw .system(.last("fstat")) }
        guard status.isRegular || kind == .any && !status.isDirectory else { throw .notRegular(status.type) }
        return try self.read(descriptor)
    }

    /// Reads a descriptor that was open when this process was started, up to its end, and closes it unless it is one of the
    /// standard three. Blocks until its writer ends.
    ///
    /// It is not opened again by name (`/dev/stdin`), as that may be denied: a pipe belongs to the user that made it.
    public static func read(descriptor: Int32) throws(FileError) -> [UInt8] {
        guard let status = Status(descriptor) else { throw .system(.last("fstat")) }
        defer { if descriptor > 2 { close(descriptor) } }
        guard !status.isDirectory else { throw .notRegular(status.type) }
        return try self.read(descriptor)
    }

    /// The path by which a descriptor's file can be read again; `nil` if there is none, as for a pipe or a removed file.
    public static func path(of descriptor: Int32) -> String? {
        guard let status = Status(descriptor), status.isRegular, status.hasName,
            let path = try? Kernel.target(ofLink: "/proc/self/fd/\(descriptor)"), unsafe access(path, R_OK) == 0
        else { return nil }
        return path
    }

    /// Whether a path leads to something that can only be read once, such as a FIFO or a device.
    public static func isReadOnce(_ path: String) -> Bool {
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
                // The process that passed it on may have made it non-blocking.
                if errno == EAGAIN, Kernel.waitToRead(descriptor, within: .seconds(60)) { continue }
                throw .system(.last("read"))
            }
            contents += piece[..<count]
            guard contents.count <= Self.limit else { throw .tooLarge }
        }
    }
}

/// The system's record of a file, links followed.
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
        // The kernel writes this one record.
        guard unsafe fstat(descriptor, &record) == 0 else { return nil }
        self.record = record
    }

    var isRegular: Bool { self.type == .regular }
    var isDirectory: Bool { self.type == .directory }
    var hasName: Bool { self.record.st_nlink > 0 }

    var type: FileError.Kind {
        switch self.record.st_mode & S_IFMT {
        case S_IFREG: .regular
        case S_IFDIR: .directory
        case S_IFIFO: .fifo
        case S_IFSOCK: .socket
        case S_IFCHR, S_IFBLK: .device
        default: .other
        }
    }

    var stamp: FileStamp { FileStamp(self.record) }
}

/// Identifies a state of a file. A file that was replaced or rewritten has another stamp.
public struct FileStamp: Hashable, Sendable {
    private let device: UInt64
    private let inode: UInt64
    private let size: Int64
    private let changed: [Int]

    /// `nil` if there is no such file, or access is denied.
    public init?(_ path: String) {
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
