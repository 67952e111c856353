internal import CLinux
internal import Glibc

/// A file, pipe or terminal to which lines are appended. Writing blocks, so it needs a thread of its own.
public final class OutputFile: Sendable {
    private let descriptor: Int32
    private let isOwned: Bool

    private init(_ descriptor: Int32, isOwned: Bool) {
        self.descriptor = descriptor
        self.isOwned = isOwned
    }

    deinit {
        if self.isOwned { close(self.descriptor) }
    }

    /// Standard error, which is never closed.
    public static let standardError = OutputFile(2, isOwned: false)

    /// Standard output, which is never closed.
    public static let standardOutput = OutputFile(1, isOwned: false)

    /// Makes a file that only its owner may read or write. It is an error if there is one already.
    public static func creating(_ path: String) throws(SystemError) -> OutputFile {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0o600)
        guard descriptor >= 0 else { throw .last("open") }
        return OutputFile(descriptor, isOwned: true)
    }

    /// Opens a file, and creates it if it does not exist. A FIFO without a reader is an error, and is not waited for.
    public static func appending(to path: String) throws(SystemError) -> OutputFile {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0o640)
        guard descriptor >= 0 else { throw .last("open") }
        return OutputFile(descriptor, isOwned: true)
    }

    /// Whether it is a terminal.
    public var isTerminal: Bool { isatty(self.descriptor) == 1 }

    /// Writes `bytes`, and waits for a slow reader.
    ///
    /// - Returns: how many bytes the file took, and why not all: a full disk, a pipe without a reader, a closed descriptor.
    public func append(_ bytes: [UInt8]) -> (taken: Int, failure: SystemError?) {
        var start = 0
        while start < bytes.count {
            // The kernel reads `bytes.count - start` bytes from `start` on, which the array has.
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(self.descriptor, $0.baseAddress! + start, bytes.count - start)
            }
            if count > 0 {
                start += count
            } else if count == 0 {
                return (start, SystemError("write", EIO))
            } else if errno == EAGAIN {
                // Our files do not block, and another process may have made standard error non-blocking, too.
                self.wait(milliseconds: -1)
            } else if errno != EINTR {
                return (start, .last("write"))
            }
        }
        return (start, nil)
    }

    /// Writes a text and the end of the line, and waits for a slow reader. What the file does not take is lost.
    public func append(line text: String) { _ = self.append(Array(text.utf8) + [UInt8(ascii: "\n")]) }

    /// Writes a line if the file takes it at once. Otherwise the line is lost.
    public func offer(_ bytes: [UInt8]) {
        // If a pipe is writable, it takes a short line whole (pipe(7), PIPE_BUF).
        guard self.wait(milliseconds: 0) else { return }
        // The kernel reads the array's bytes.
        _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(self.descriptor, $0.baseAddress, bytes.count) }
    }

    @discardableResult
    private func wait(milliseconds: Int32) -> Bool {
        var waiting = pollfd(fd: self.descriptor, events: Int16(POLLOUT), revents: 0)
        // The kernel writes to this one record.
        return unsafe poll(&waiting, 1, milliseconds) > 0
    }
}
