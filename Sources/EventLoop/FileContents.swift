internal import Glibc

/// Whole small files: certificates and keys.
package enum FileContents {
    /// The most that is read, in bytes: a certificate file of more is a mistake.
    private static let limit = 4 << 20

    /// - Throws: what the system says; `EFBIG` for a file that is too large.
    package static func read(_ path: String) throws(SystemError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last("open") }
        defer { close(descriptor) }
        var contents: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            // The kernel writes at most `piece.count` bytes.
            let count = unsafe Glibc.read(descriptor, &piece, piece.count)
            if count == 0 { return contents }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw .last("read")
            }
            contents += piece[..<count]
            guard contents.count <= Self.limit else { throw SystemError("read", EFBIG) }
        }
    }
}

/// What tells one state of a file from another: replaced or rewritten, it has another stamp.
package struct FileStamp: Hashable, Sendable {
    private let device: UInt64
    private let inode: UInt64
    private let size: Int64
    private let changed: [Int]

    /// `nil`: there is no such file, or nobody may know.
    package init?(_ path: String) {
        var status = stat()
        // The kernel writes this one record.
        guard unsafe stat(path, &status) == 0 else { return nil }
        self.device = UInt64(status.st_dev)
        self.inode = UInt64(status.st_ino)
        self.size = Int64(status.st_size)
        let (modified, changed) = (status.st_mtim, status.st_ctim)
        self.changed = [modified.tv_sec, modified.tv_nsec, changed.tv_sec, changed.tv_nsec]
    }
}
