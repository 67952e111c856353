internal import DequeModule

/// Does work beside a loop that would block it for too long: one piece after the other, each on a thread of its own.
///
/// Confined to the loop's thread.
public final class SideWork {
    private let calls: BlockingCalls
    private var waiting: Deque<() -> Void> = []
    private var isBusy = false

    /// Throws if the system has no descriptor for the results.
    public init(on loop: EventLoop) throws(SystemError) { self.calls = try BlockingCalls(on: loop) }

    /// Calls `make` on another thread, after the work before it.
    ///
    /// - Parameter then: gets the result, on the loop's thread.
    public func make<Value: Sendable>(_ make: @escaping @Sendable () -> Value, then: @escaping (Value) -> Void) {
        self.waiting.append { [unowned self] in
            do throws(SystemError) {
                try self.calls.make(make) { [unowned self] value in
                    self.isBusy = false
                    self.goOn()
                    then(value)
                }
            } catch {
                // Without a thread the loop has to do it.
                self.isBusy = false
                then(make())
                self.goOn()
            }
        }
        self.goOn()
    }

    private func goOn() {
        guard !self.isBusy, let next = self.waiting.popFirst() else { return }
        self.isBusy = true
        next()
    }
}
