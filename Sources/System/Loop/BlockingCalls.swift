internal import Synchronization

/// Makes calls that may block for any length of time, each on a thread of its own, or on a few that are shared. The result arrives on a
/// loop.
///
/// Confined to the loop's thread. A call that never returns costs its thread, so callers must bound the number of calls.
public final class BlockingCalls {
    private let returned: Mailbox<Int>
    private var waiting: [Int: () -> Void] = [:]
    private var nextID = 0
    private let threads: CallThreads?

    /// Throws if the system has no descriptor for the results.
    ///
    /// - Parameter threads: those that make the calls; `nil`: each call has its own.
    public init(on loop: EventLoop, by threads: CallThreads? = nil) throws(SystemError) {
        self.threads = threads
        self.returned = try Mailbox()
        try self.returned.open(on: loop) { [unowned self] id in self.waiting.removeValue(forKey: id)?() }
    }

    /// How many calls have not returned yet.
    var count: Int { self.waiting.count }

    /// Makes a call on another thread.
    ///
    /// - Parameter then: gets the result, on the loop's thread.
    public func make<Value: Sendable>(
        _ call: @escaping @Sendable () -> Value, then: @escaping (Value) -> Void
    ) throws(SystemError) {
        let id = self.nextID
        let (returned, result) = (self.returned, Result<Value>())
        let body: @Sendable () -> Void = {
            let value = call()
            result.value.withLock { $0 = value }
            returned.send(id)
        }
        if let threads = self.threads { try threads.run(body) } else { try Thread.start("gateway-call", body).detach() }
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
