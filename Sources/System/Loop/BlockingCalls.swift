internal import Synchronization

/// Calls that may block for as long as the system likes, each on a thread of its own; a loop hears when one has returned.
///
/// Confined to the loop's thread. A call that never returns costs its thread, and whoever makes calls bounds their number.
package final class BlockingCalls {
    private let returned: Mailbox<Int>
    private var waiting: [Int: () -> Void] = [:]
    private var nextID = 0

    package init(on loop: EventLoop) throws(SystemError) {
        self.returned = try Mailbox()
        try self.returned.open(on: loop) { [unowned self] id in self.waiting.removeValue(forKey: id)?() }
    }

    /// How many have not returned yet.
    package var count: Int { self.waiting.count }

    /// Makes a call, and says on the loop's thread what it gave.
    package func make<Value: Sendable>(
        _ call: @escaping @Sendable () -> Value, then: @escaping (Value) -> Void
    ) throws(SystemError) {
        let id = self.nextID
        let (returned, result) = (self.returned, Result<Value>())
        let thread = try Thread.start("gateway-call") {
            result.value.withLock { $0 = call() }
            returned.send(id)
        }
        thread.detach()
        self.nextID += 1
        self.waiting[id] = { if let value = result.value.withLock({ $0 }) { then(value) } }
    }

    private final class Result<Value: Sendable>: Sendable {
        let value = Mutex<Value?>(nil)
    }

    /// Makes a call for whoever has nothing else to do, and waits for it.
    ///
    /// - Returns: what it gave; `nil`: it has not returned within `limit`, and is left to itself.
    package static func result<Value: Sendable>(
        within limit: Duration, of call: @escaping @Sendable () -> Value
    ) throws(SystemError) -> Value? {
        let loop = try EventLoop(batch: 4)
        let calls = try BlockingCalls(on: loop)
        var value: Value?
        try calls.make(call) { value = $0 }
        let deadline = MonotonicInstant.now() + limit
        while value == nil, .now() < deadline { loop.turn(waitingAtMost: deadline - .now()) }
        return value
    }
}
