internal import CLinux
internal import Glibc

/// A thread of the gateway.
package enum Thread {
    private final class Start {
        let name: String
        let body: @Sendable () -> Void

        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Waits for a thread to end.
    package struct Handle: Sendable {
        fileprivate let thread: pthread_t

        package func join() { _ = pthread_join(self.thread, nil) }

        /// Waits no longer than `limit`, after which the thread is left to itself. Returns whether it has ended.
        @discardableResult
        package func join(within limit: Duration) -> Bool {
            gateway_join_thread(self.thread, limit.clampedNanoseconds / 1_000_000) == 0
        }

        /// Nobody will wait for it: what it takes of the system goes with it.
        func detach() { _ = pthread_detach(self.thread) }
    }

    /// - Parameter name: as `top -H` shows it; at most 15 bytes.
    package static func start(_ name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) -> Handle {
        var thread = pthread_t()
        // The box is handed over retained, and released by the thread, which is started at most once.
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
