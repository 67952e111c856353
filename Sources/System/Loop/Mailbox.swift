internal import CLinux
internal import DequeModule
internal import Glibc
internal import Synchronization

/// Passes messages between threads: any thread may send, and one loop receives, in the order sent.
///
/// An eventfd wakes the receiver once for several messages.
public final class Mailbox<Message: Sendable>: Sendable {
    private let queue = Mutex<[Message]>([])
    private let descriptor: Int32

    /// Throws if the system has no descriptor for it.
    public init() throws(SystemError) {
        self.descriptor = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
        guard self.descriptor >= 0 else { throw .last("eventfd") }
    }

    deinit {
        close(self.descriptor)
    }

    /// Sends a message. Any thread may call this.
    public func send(_ message: Message) {
        if self.put(message) { self.wake() }
    }

    /// Sends a message without a system call, for those that hold a lock.
    ///
    /// - Returns: whether the receiver has to be woken soon (`wake`), so that it sees this message and later ones.
    public func put(_ message: Message) -> Bool {
        // Only the first message in an empty box wakes the receiver. The receiver resets the eventfd before it empties the
        // box, so it misses none.
        self.queue.withLock { queue in
            queue.append(message)
            return queue.count == 1
        }
    }

    /// Wakes the receiver. Any thread may call this.
    public func wake() { _ = eventfd_write(self.descriptor, 1) }

    /// Calls `receive` for each message on the loop's thread, from now on, and for as many in a turn as the budget allows.
    public func open(on loop: EventLoop, _ receive: @escaping (Message) -> Void) throws(SystemError) {
        let reader = MailboxReader(self, loop, receive)
        reader.registration = try loop.addReading(self.descriptor, reader)
    }

    fileprivate func takeAll() -> [Message] {
        var rings: eventfd_t = 0
        _ = unsafe eventfd_read(self.descriptor, &rings)
        return self.queue.withLock { queue in
            let all = queue
            queue = []
            return all
        }
    }
}

private final class MailboxReader<Message: Sendable>: ReadinessHandler {
    /// In units of work: to take out a message. `receive` spends what its own work costs.
    private static var workOfMessage: Int { 200 }

    var registration: EventLoop.Registration?
    private let mailbox: Mailbox<Message>
    // The loop retains the reader.
    private unowned let loop: EventLoop
    private let receive: (Message) -> Void
    /// Messages that were taken out of the mailbox and not received yet.
    private var waiting: Deque<Message> = []
    private var isScheduled = false

    init(_ mailbox: Mailbox<Message>, _ loop: EventLoop, _ receive: @escaping (Message) -> Void) {
        self.mailbox = mailbox
        self.loop = loop
        self.receive = receive
    }

    func ready(_ readiness: Readiness) {
        if readiness.isNone {
            self.isScheduled = false
        } else {
            self.waiting.append(contentsOf: self.mailbox.takeAll())
        }
        while let message = self.waiting.popFirst() {
            self.loop.budget.spend(Self.workOfMessage)
            self.receive(message)
            if self.loop.budget.isShareSpent, !self.waiting.isEmpty { return self.goOnLater() }
        }
        // Frees the memory of a long queue.
        self.waiting = []
    }

    private func goOnLater() {
        guard let registration = self.registration, !self.isScheduled else { return }
        self.isScheduled = true
        self.loop.again(registration)
    }
}
