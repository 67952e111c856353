internal import DequeModule
internal import WebSocketProtocol

/// What a client said and nobody looked at yet.
struct Unread {
    /// As they were read: those before `start` are done with.
    private(set) var bytes: [UInt8]
    private var start = 0
    /// What is left begins with so much of it, if not with a frame or the rest of one: payload of a compressed message, unmasked.
    private var part: FrameReader.DataPart?

    /// - Parameter part: what `bytes` begin with, if not with a frame or the rest of one. Of its range the length counts.
    init(_ bytes: [UInt8], part: FrameReader.DataPart?) {
        self.bytes = bytes
        self.part = part
    }

    /// What it takes of memory, its place included.
    var memory: Int { self.bytes.capacity + 128 }

    /// What is left begins inside of a compressed message's payload.
    var beginsWithPart: Bool { self.part != nil }

    var isDone: Bool { self.start == self.bytes.count && self.part == nil }

    /// What is to be looked at next.
    ///
    /// - Parameter limit: the most bytes of it.
    func next(atMost limit: Int) -> (range: Range<Int>, part: FrameReader.DataPart?) {
        let range = self.start..<min(self.start + limit, self.bytes.count)
        guard var part = self.part, part.range.count > range.count else { return (range, self.part) }
        part.range = 0..<range.count
        part.isFinal = false
        return (range, part)
    }

    /// So many bytes were looked at.
    ///
    /// - Parameters:
    ///   - stop: what the rest begins with, if not with a frame or the rest of one.
    ///   - payload: of that part. It may have been unmasked on the way, where it was looked at.
    mutating func advance(by count: Int, to stop: FrameReader.DataPart?, _ payload: Span<UInt8>) {
        self.start += count
        for index in payload.indices { self.bytes[self.start + index] = payload[index] }
        if var part = self.part, part.range.count > count {
            part.range = 0..<(part.range.count - count)
            self.part = part
        } else {
            self.part = stop
        }
    }
}

/// What waits to be looked at, in order.
struct Backlog {
    private var items: Deque<Unread> = []
    /// What that takes of memory, in bytes.
    private(set) var memory = 0

    var isEmpty: Bool { self.items.isEmpty }
    var first: Unread? { self.items.first }

    mutating func append(_ unread: Unread) {
        self.memory += unread.memory
        self.items.append(unread)
    }

    mutating func prepend(_ unread: Unread) {
        self.memory += unread.memory
        self.items.prepend(unread)
    }

    /// So many bytes of the first one were looked at: see `Unread.advance`. Once it is done it is no more.
    mutating func advance(by count: Int, to stop: FrameReader.DataPart?, _ payload: Span<UInt8>) {
        self.items[0].advance(by: count, to: stop, payload)
        guard self.items[0].isDone else { return }
        self.memory -= self.items.removeFirst().memory
        if self.items.isEmpty { self.items = [] }
    }

    mutating func removeAll() { self = Backlog() }
}
