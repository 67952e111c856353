internal import Credentials
public import System

/// The part of a worker, or of the control thread, in verifying passwords: its calls on the threads, and their results.
public final class WorkerPasswords {
    let pool: PasswordPool
    private let calls: BlockingCalls

    /// Throws if the system has no descriptor for the results.
    public init(_ pool: PasswordPool, on loop: EventLoop) throws(SystemError) {
        self.pool = pool
        self.calls = try BlockingCalls(on: loop, by: pool.threads)
    }

    /// Has a thread hash a password.
    ///
    /// - Parameter then: gets whether it is right, on the worker's thread.
    /// - Returns: false if there is no place or no thread for it; then its address has its place back.
    func hash(_ request: PasswordRequest, then: @escaping (Bool) -> Void) -> Bool {
        let pool = self.pool
        guard pool.takePlace() else {
            pool.leave(request.address)
            return false
        }
        do throws(SystemError) {
            try self.calls.make({ pool.hash(request) }, then: then)
            return true
        } catch {
            pool.givePlaceBack()
            pool.leave(request.address)
            return false
        }
    }
}
