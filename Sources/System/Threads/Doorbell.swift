internal import CLinux
internal import Glibc

/// Wakes a thread that waits for work.
public final class Doorbell: Sendable {
    private let descriptor: Int32

    /// Throws if the system has no descriptor for it.
    public init() throws(SystemError) {
        self.descriptor = eventfd(0, Int32(EFD_CLOEXEC))
        guard self.descriptor >= 0 else { throw .last("eventfd") }
    }

    deinit {
        close(self.descriptor)
    }

    /// Wakes the thread, now or when it waits next.
    public func ring() { _ = eventfd_write(self.descriptor, 1) }

    /// Waits for a ring. Returns at once if there was one since the last wait.
    public func wait() {
        var rings: eventfd_t = 0
        _ = unsafe eventfd_read(self.descriptor, &rings)
    }
}
