internal import DequeModule
internal import WebSocketProtocol

/// Bytes from a client that were received and not read yet.
struct Unread {
    /// As received; those before `start` have been read.
    private(set) var bytes: [UInt8]
    private var start = 0
    /// The rest begins with this payload of a compressed message, unmasked; `nil` if it begins with a frame or the rest of one.
    private var part: FrameReader.DataPart?

    /// - Parameter part: what `bytes` begin with; `nil` for a frame or the rest of one. Only the length of its range matters.
    init(_ bytes: [UInt8], part: FrameReader.DataPart?) {
        self.bytes = bytes
        self.part = part
    }

    /// Bytes of memory, its place in the backlog included.
    var memory: Int { self.bytes.capacity + 128 }

    /// The rest begins inside the payload of a compressed message.
    var beginsWithPart: Bool { self.part != nil }

    var isDone: Bool { self.start == self.bytes.count && self.part == nil }

    /// What to read next.
    ///
    /// - Parameter limit: the most bytes of it.
    func next(atMost limit: Int) -> (range: Range<Int>, part: FrameReader.DataPart?) {
        let range = self.start..<min(self.start + limit, self.bytes.count)
        guard var part = self.part, part.range.count > range.count else { return (range, self.part) }
        part.range = 0..<range.count
        part.isFinal = false
        return (range, part)
    }

    /// `count` bytes were read.
    ///
    /// - Parameters:
    ///   - stop: what the rest begins with; `nil` for a frame or the rest of one.
    ///   - payload: the payload of that part, which reading may have unmasked.
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

/// Bytes that wait to be read, in order.
struct Backlog {
    private var items: Deque<Unread> = []
    /// Bytes of memory.
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

    /// `count` bytes of the first item were read (`Unread.advance`). It is removed when all of it was.
    mutating func advance(by count: Int, to stop: FrameReader.DataPart?, _ payload: Span<UInt8>) {
        self.items[0].advance(by: count, to: stop, payload)
        guard self.items[0].isDone else { return }
        self.memory -= self.items.removeFirst().memory
        if self.items.isEmpty { self.items = [] }
    }

    mutating func removeAll() { self = Backlog() }
}
