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

    package static func appending(to path: String) throws(SystemError) -> OutputFile {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw .last("open") }
        return OutputFile(descriptor, isOwned: true)
    }

    package var isTerminal: Bool { isatty(self.descriptor) == 1 }

    /// Writes all of `bytes`. False if the file does not take them (a full disk, a closed pipe).
    package func write(_ bytes: [UInt8]) -> Bool {
        var start = 0
        while start < bytes.count {
            // The kernel reads `bytes.count - start` bytes from `start` on, which are in the array.
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(self.descriptor, $0.baseAddress! + start, bytes.count - start)
            }
            if count > 0 {
                start += count
            } else if errno == EAGAIN {
                // Somebody made our standard error non-blocking: wait until it takes more.
                var waiting = pollfd(fd: self.descriptor, events: Int16(POLLOUT), revents: 0)
                unsafe poll(&waiting, 1, -1)
            } else if errno != EINTR {
                return false
            }
        }
        return true
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
