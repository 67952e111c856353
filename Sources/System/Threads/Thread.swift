internal import CLinux
internal import Glibc

/// Starts threads.
public enum Thread {
    private final class Start {
        let name: String
        let body: @Sendable () -> Void

        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// A started thread, to wait for its end.
    public struct Handle: Sendable {
        fileprivate let thread: pthread_t

        /// Waits until the thread has ended.
        public func join() { _ = pthread_join(self.thread, nil) }

        /// Waits until the thread has ended, but no longer than `limit`. Returns whether it has.
        @discardableResult
        public func join(within limit: Duration) -> Bool {
            gateway_join_thread(self.thread, limit.clampedNanoseconds / 1_000_000) == 0
        }

        /// Frees the thread's resources when it ends. It cannot be joined any more.
        func detach() { _ = pthread_detach(self.thread) }
    }

    /// Starts a thread.
    ///
    /// - Parameters:
    ///   - name: as `top -H` shows it. At most 15 bytes.
    ///   - body: runs on the thread, which ends with it.
    public static func start(_ name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) -> Handle {
        var thread = pthread_t()
        // The box is passed on retained. The thread releases it, and is started at most once.
        let start = unsafe Unmanaged.passRetained(Start(name, body))
        let code = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                unsafe gateway_name_this_thread(start.name)
                start.body()
                return nil
            }, start.toOpaque())
        guard code == 0 else {
            unsafe start.release()
            throw SystemError("pthread_create", code)
        }
        return Handle(thread: thread)
    }
}
