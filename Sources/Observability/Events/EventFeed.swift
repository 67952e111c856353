internal import Synchronization
public import System

/// What happens in the gateway, for operators: the last closes and refusals, and, while there is a listener, the records of events. The level
/// of the log hides none of them.
///
/// Without a listener a record costs one look at a flag.
public final class EventFeed: Sendable {
    /// How many closes, and how many refusals, are kept.
    public static let mostKept = 1000
    /// How many events may wait for the listener. One has about 500 bytes.
    static let mostWaiting = 2048

    private let closes = Mutex(Recent<ClosedSession>(limit: EventFeed.mostKept))
    private let refusals = Mutex(Recent<RefusedRequest>(limit: EventFeed.mostKept))
    /// JSON objects.
    private let mailbox: Mailbox<[UInt8]>
    private let isHeard = Atomic<Bool>(false)
    /// How many events are in the mailbox.
    private let waiting = Atomic<Int>(0)
    /// How many events did not fit it since `takeSkipped`.
    private let skipped = Atomic<Int>(0)

    /// Throws if the system has no descriptor for the mailbox.
    init() throws(SystemError) { self.mailbox = try Mailbox() }

    // MARK: - Looking back

    /// The last sessions that ended, the newest first.
    public var lastCloses: [ClosedSession] { self.closes.withLock { $0.newestFirst } }

    /// The last clients that were turned away, the newest first.
    public var lastRefusals: [RefusedRequest] { self.refusals.withLock { $0.newestFirst } }

    /// A session has ended. Any thread may call this.
    public func add(_ close: ClosedSession) { self.closes.withLock { $0.add(close) } }

    /// A client was turned away. Any thread may call this.
    public func add(_ refusal: RefusedRequest) { self.refusals.withLock { $0.add(refusal) } }

    // MARK: - Listening

    /// Calls `receive` for each event, a JSON object, on the loop's thread, while `listens` is set.
    public func open(on loop: EventLoop, _ receive: @escaping ([UInt8]) -> Void) throws(SystemError) {
        try self.mailbox.open(on: loop) { [self] event in
            self.waiting.subtract(1, ordering: .relaxed)
            receive(event)
        }
    }

    /// Whether there is a listener.
    public var listens: Bool {
        get { self.isHeard.load(ordering: .relaxed) }
        set { self.isHeard.store(newValue, ordering: .relaxed) }
    }

    /// How many events there was no room for since the last call.
    public func takeSkipped() -> Int { self.skipped.exchange(0, ordering: .relaxed) }

    /// What the event is called for the listener; `nil` if it is none, or there is no listener.
    ///
    /// - Parameter event: the word of the log.
    func name(of event: String) -> String? {
        guard self.listens else { return nil }
        switch event {
        case "open", "close", "refused", "health", "admin": return event
        case "reloaded", "reload-refused": return "reload"
        case "draining": return "drain"
        default: return nil
        }
    }

    /// Hands an event to the listener, if there is room. Any thread may call this.
    ///
    /// - Parameter event: makes a JSON object.
    func hand(_ event: () -> [UInt8]) {
        guard self.waiting.add(1, ordering: .relaxed).newValue <= Self.mostWaiting else {
            self.waiting.subtract(1, ordering: .relaxed)
            self.skipped.add(1, ordering: .relaxed)
            return
        }
        self.mailbox.send(event())
    }
}
