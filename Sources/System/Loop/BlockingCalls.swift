internal import Synchronization

/// Makes calls that may block for any length of time, each on a thread of its own. The result arrives on a loop.
///
/// Confined to the loop's thread. A call that never returns costs its thread, so callers must bound the number of calls.
public final class BlockingCalls {
    private let returned: Mailbox<Int>
    private var waiting: [Int: () -> Void] = [:]
    private var nextID = 0

    /// Throws if the system has no descriptor for the results.
    public init(on loop: EventLoop) throws(SystemError) {
        self.returned = try Mailbox()
        try self.returned.open(on: loop) { [unowned self] id in self.waiting.removeValue(forKey: id)?() }
    }

    /// How many calls have not returned yet.
    var count: Int { self.waiting.count }

    /// Makes a call on a thread of its own.
    ///
    /// - Parameter then: gets the result, on the loop's thread.
    public func make<Value: Sendable>(
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

    /// Makes a call and waits for it, for callers that have nothing else to do.
    ///
    /// - Returns: the result; `nil` if it has not returned within `limit`. Its thread is then left behind.
    public static func make<Value: Sendable>(
        within limit: Duration, _ call: @escaping @Sendable () -> Value
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
