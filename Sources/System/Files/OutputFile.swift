internal import CLinux
internal import Glibc

/// A file, pipe or terminal that lines are appended to. Writing blocks, so it belongs on a thread of its own.
package final class OutputFile: Sendable {
    private let descriptor: Int32
    private let isOwned: Bool

    private init(_ descriptor: Int32, isOwned: Bool) {
        self.descriptor = descriptor
        self.isOwned = isOwned
    }

    deinit {
        if self.isOwned { close(self.descriptor) }
    }

    package static let standardError = OutputFile(2, isOwned: false)

    /// Opens a file that is made where there is none. A FIFO without a reader is an error: nobody waits for one to come.
    package static func appending(to path: String) throws(SystemError) -> OutputFile {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0o640)
        guard descriptor >= 0 else { throw .last("open") }
        return OutputFile(descriptor, isOwned: true)
    }

    package var isTerminal: Bool { isatty(self.descriptor) == 1 }

    /// Writes all of `bytes`. False if the file does not take them.
    package func write(_ bytes: [UInt8]) -> Bool { self.append(bytes).taken == bytes.count }

    /// Writes `bytes`, and waits for a reader that is slow.
    ///
    /// - Returns: how many the file took, and why not all of them: a full disk, a pipe whose reader has gone, a closed descriptor.
    package func append(_ bytes: [UInt8]) -> (taken: Int, failure: SystemError?) {
        var start = 0
        while start < bytes.count {
            // The kernel reads `bytes.count - start` bytes from `start` on, which are in the array.
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(self.descriptor, $0.baseAddress! + start, bytes.count - start)
            }
            if count > 0 {
                start += count
            } else if count == 0 {
                return (start, SystemError("write", EIO))
            } else if errno == EAGAIN {
                // Ours does not block, and somebody may have made our standard error so: wait until it takes more.
                self.wait(milliseconds: -1)
            } else if errno != EINTR {
                return (start, .last("write"))
            }
        }
        return (start, nil)
    }

    /// Writes a line if the file takes it at once; else it is lost.
    package func offer(_ bytes: [UInt8]) {
        // A pipe that takes something takes a short line whole (pipe(7), PIPE_BUF).
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

/// Wakes a thread that waits for something to do.
package final class Doorbell: Sendable {
    private let descriptor: Int32

    package init() throws(SystemError) {
        self.descriptor = eventfd(0, Int32(EFD_CLOEXEC))
        guard self.descriptor >= 0 else { throw .last("eventfd") }
    }

    deinit {
        close(self.descriptor)
    }

    package func ring() { _ = eventfd_write(self.descriptor, 1) }

    /// Returns at once if somebody rang since the last wait.
    package func wait() {
        var rings: eventfd_t = 0
        _ = unsafe eventfd_read(self.descriptor, &rings)
    }
}
