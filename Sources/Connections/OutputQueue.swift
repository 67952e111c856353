internal import DequeModule
internal import System

/// The bytes that a socket did not accept yet, in order. An empty queue owns no memory.
///
/// Segments are arrays, which share their storage: a broadcast frame in a thousand queues exists once in memory.
struct OutputQueue {
    private struct Segment {
        var bytes: [UInt8]
        var start: Int
        /// Not `nil` if other queues have the bytes, too.
        let shared: SharedBytes?
    }

    /// Short pieces are joined up to this size, so that a slow reader's queue is sent in large writes.
    private static let gatherSize = 16 << 10

    private var segments = Deque<Segment>()
    /// The bytes that are queued.
    private(set) var count = 0
    /// How many of them are in memory shared with other queues.
    private(set) var sharedCount = 0

    /// The memory of a segment besides its bytes: its place in the deque, the array's header, the allocator's overhead.
    private static let segmentOverhead = 128

    /// The memory of a segment with these bytes.
    static func cost(of bytes: [UInt8]) -> Int { bytes.capacity + self.segmentOverhead }

    /// The memory of the queue in bytes, without what it shares with others. A segment counts whole until all of it is sent.
    var ownMemory: Int {
        guard let first = self.segments.first, let last = self.segments.last else { return 0 }
        let sent = first.shared == nil ? first.start : 0
        let room = last.shared == nil ? last.bytes.capacity - last.bytes.count : 0
        return self.count - self.sharedCount + sent + room + self.segments.count * Self.segmentOverhead
    }

    var isEmpty: Bool { self.count == 0 }

    mutating func append(_ bytes: Span<UInt8>) {
        guard !bytes.isEmpty else { return }
        self.count += bytes.count
        if let last = self.segments.indices.last, self.segments[last].shared == nil,
            self.segments[last].bytes.count + bytes.count <= Self.gatherSize
        {
            self.segments[last].bytes.append(bytes)
        } else {
            var copy: [UInt8] = []
            copy.reserveCapacity(bytes.count)
            copy.append(bytes)
            self.segments.append(Segment(bytes: copy, start: 0, shared: nil))
        }
    }

    /// Below this size a copy costs less memory than a segment.
    private static let smallestShared = 512

    /// Adds the bytes of `shared` from `start` on. Few bytes are copied.
    ///
    /// - Returns: whether they are shared now.
    mutating func append(sharing shared: SharedBytes, from start: Int) -> Bool {
        let bytes = shared.bytes
        guard bytes.count - start >= Self.smallestShared else {
            self.append(bytes.span.extracting(min(start, bytes.count)..<bytes.count))
            return false
        }
        self.count += bytes.count - start
        self.sharedCount += bytes.count - start
        self.segments.append(Segment(bytes: bytes, start: start, shared: shared))
        return true
    }

    /// Passes pieces to `send`, which returns how many bytes it took, until it takes less than it was given.
    mutating func flush(_ send: (Span<UInt8>) -> Int) {
        while let first = self.segments.first {
            let waiting = first.bytes.count - first.start
            let taken = send(first.bytes.span.extracting(first.start..<first.bytes.count))
            self.count -= taken
            if first.shared != nil { self.sharedCount -= taken }
            guard taken == waiting else {
                self.segments[0].start += taken
                return
            }
            self.segments.removeFirst()
        }
        self.segments = Deque()
    }

    mutating func removeAll() { self = OutputQueue() }
}
