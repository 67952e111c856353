internal import DequeModule
internal import System

/// Which channels are subscribed to, on a connection for nothing else. One batch at a time is on its way: that bounds what waits in the
/// socket, and requests that come meanwhile become one batch.
struct Subscriptions {
    typealias Channel = [UInt8]

    enum Received: Equatable {
        /// From here on its messages come.
        case subscribed(Channel)
        case message(Channel, payload: [UInt8])
        case nothing
    }

    private struct Batch {
        enum Kind: String {
            case subscribe
            case unsubscribe
        }

        let kind: Kind
        /// Those that are not confirmed yet, in the order of the command.
        var channels: Deque<Channel>
        let deadline: MonotonicInstant
    }

    /// The most channels in a command.
    static let batch = 512

    private var wanted: Set<Channel> = []
    private var subscribed: Set<Channel> = []
    /// Those that may have to be subscribed to or left, each once.
    private var queue: Deque<Channel> = []
    private var queued: Set<Channel> = []
    /// Those that were left and are wanted again before the server was told: they are asked for once more, so that it confirms them.
    private var renewed: Set<Channel> = []
    private var sent: Batch?

    /// When the batch that is on its way has waited for too long.
    var deadline: MonotonicInstant { self.sent?.deadline ?? .never }

    mutating func want(_ channel: Channel) {
        guard self.wanted.insert(channel).inserted else { return }
        if self.subscribed.contains(channel) { self.renewed.insert(channel) }
        self.enqueue(channel)
    }

    mutating func leave(_ channel: Channel) {
        guard self.wanted.remove(channel) != nil else { return }
        self.renewed.remove(channel)
        self.enqueue(channel)
    }

    private mutating func enqueue(_ channel: Channel) {
        if self.queued.insert(channel).inserted { self.queue.append(channel) }
    }

    /// The connection has ended: all of it begins anew with the next.
    mutating func end() {
        self.subscribed = []
        self.renewed = []
        self.sent = nil
        self.queue = Deque(self.wanted)
        self.queued = self.wanted
    }

    /// The next batch; `nil`: there is none, or one is on its way.
    mutating func next(until deadline: MonotonicInstant) -> RedisCommand? {
        guard self.sent == nil else { return nil }
        var kind: Batch.Kind?
        var channels: Deque<Channel> = []
        while channels.count < Self.batch, let channel = self.queue.first {
            let (isWanted, isSubscribed) = (self.wanted.contains(channel), self.subscribed.contains(channel))
            if isWanted != isSubscribed || self.renewed.contains(channel) {
                let own: Batch.Kind = isWanted ? .subscribe : .unsubscribe
                guard kind == nil || kind == own else { break }
                kind = own
                channels.append(channel)
            }
            self.queue.removeFirst()
            self.queued.remove(channel)
            self.renewed.remove(channel)
        }
        guard let kind else { return nil }
        self.sent = Batch(kind: kind, channels: channels, deadline: deadline)
        return RedisCommand([Array(kind.rawValue.utf8)] + channels)
    }

    /// Takes what came: a push of RESP3, or a list of RESP2.
    mutating func received(_ value: RedisValue) throws(RedisViolation) -> Received {
        let parts: [RedisValue]
        switch value {
        case .push(let values), .list(let values): parts = values
        default: throw RedisViolation("something that is no message")
        }
        guard parts.count == 3, let name = parts[0].text, let channel = parts[1].bytes else {
            throw RedisViolation("a message of another form")
        }
        if name == "message" {
            guard let payload = parts[2].bytes else { throw RedisViolation("a message without a payload") }
            // One that was on its way when the channel was left is not wanted.
            return self.wanted.contains(channel) ? .message(channel, payload: payload) : .nothing
        }
        guard let kind = Batch.Kind(rawValue: name), kind == self.sent?.kind, channel == self.sent?.channels.first
        else {
            throw RedisViolation("a confirmation that was not asked for")
        }
        self.sent?.channels.removeFirst()
        if self.sent?.channels.isEmpty == true { self.sent = nil }
        switch kind {
        case .subscribe:
            self.subscribed.insert(channel)
            return self.wanted.contains(channel) ? .subscribed(channel) : .nothing
        case .unsubscribe:
            self.subscribed.remove(channel)
            return .nothing
        }
    }
}
