internal import DequeModule

/// Work that would keep a loop for too long, done beside it: one piece after the other, each on a thread; the loop hears of the result.
///
/// Confined to the loop's thread.
package final class SideWork {
    private let calls: BlockingCalls
    private var waiting: Deque<() -> Void> = []
    private var isBusy = false

    package init(on loop: EventLoop) throws(SystemError) { self.calls = try BlockingCalls(on: loop) }

    /// Has something made from values that no other thread changes.
    ///
    /// - Parameter then: gets it, on the loop's thread.
    package func make<Value: Sendable>(_ make: @escaping @Sendable () -> Value, then: @escaping (Value) -> Void) {
        self.waiting.append { [unowned self] in
            do throws(SystemError) {
                try self.calls.make(make) { [unowned self] value in
                    self.isBusy = false
                    self.goOn()
                    then(value)
                }
            } catch {
                // Without a thread the loop has to wait: better than no answer.
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
