internal import CLinux
internal import Glibc
internal import Synchronization

/// How threads talk: anyone may send, one loop receives, in the order sent.
///
/// The receiver is woken by an eventfd once per batch, not once per message.
package final class Mailbox<Message: Sendable>: Sendable {
    private let queue = Mutex<[Message]>([])
    private let descriptor: Int32

    package init() throws(SystemError) {
        self.descriptor = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
        guard self.descriptor >= 0 else { throw .last("eventfd") }
    }

    deinit {
        close(self.descriptor)
    }

    package func send(_ message: Message) {
        let wasEmpty = self.queue.withLock { queue in
            queue.append(message)
            return queue.count == 1
        }
        // Whoever fills an empty box rings; the receiver empties it after the bell, so nothing is left unseen.
        if wasEmpty { _ = eventfd_write(self.descriptor, 1) }
    }

    /// Calls `receive` for each message on the loop's thread, from now on.
    package func open(on loop: EventLoop, _ receive: @escaping (Message) -> Void) throws(SystemError) {
        let reader = MailboxReader(self, receive)
        _ = try loop.addReading(self.descriptor, reader)
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
    private let mailbox: Mailbox<Message>
    private let receive: (Message) -> Void

    init(_ mailbox: Mailbox<Message>, _ receive: @escaping (Message) -> Void) {
        self.mailbox = mailbox
        self.receive = receive
    }

    func ready(_ readiness: Readiness) {
        for message in self.mailbox.takeAll() { self.receive(message) }
    }
}
