/// Bytes of a client that were received and wait. Those that have gone on are removed now and then, so that taking a few at a time costs no more
/// than taking all at once.
struct WaitingBytes {
    /// Those before the first that waits have gone on.
    private(set) var bytes: [UInt8] = []
    private var start = 0

    /// Nothing waits.
    init() {}

    var isEmpty: Bool { self.start == self.bytes.count }

    /// Bytes of memory.
    var memory: Int { self.bytes.capacity }

    mutating func append(_ more: [UInt8]) {
        if self.isEmpty {
            self.bytes = more
            self.start = 0
        } else {
            self.bytes += more
        }
    }

    /// What to take next, as positions in `bytes`.
    func next(atMost limit: Int) -> Range<Int> { self.start..<min(self.start + limit, self.bytes.count) }

    /// All before `position` have gone on.
    mutating func advance(to position: Int) {
        self.start = position
        if self.isEmpty {
            self = WaitingBytes()
        } else if self.start > self.bytes.count / 2 {
            self.bytes.removeFirst(self.start)
            self.start = 0
        }
    }

    /// Takes everything that waits.
    mutating func takeAll() -> [UInt8] {
        defer { self = WaitingBytes() }
        return Array(self.bytes[self.start...])
    }
}
