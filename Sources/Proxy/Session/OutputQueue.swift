internal import DequeModule
internal import EventLoop

/// Bytes that a leg's socket did not take yet, in order. Empty, it owns nothing.
///
/// Segments are arrays, which share their storage: a broadcast frame that waits in a thousand queues is one piece of memory.
struct OutputQueue {
    private struct Segment {
        var bytes: [UInt8]
        var start: Int
    }

    /// Short pieces are gathered up to this size, so that a slow reader's queue is sent in large writes.
    private static let gatherSize = 16 << 10

    private var segments = Deque<Segment>()
    /// How many bytes wait.
    private(set) var count = 0

    var isEmpty: Bool { self.count == 0 }

    /// Copies `bytes` to the end.
    mutating func append(_ bytes: Span<UInt8>) {
        guard !bytes.isEmpty else { return }
        self.count += bytes.count
        if let last = self.segments.indices.last, self.segments[last].bytes.count + bytes.count <= Self.gatherSize {
            self.segments[last].bytes.append(bytes)
        } else {
            var copy: [UInt8] = []
            copy.reserveCapacity(bytes.count)
            copy.append(bytes)
            self.segments.append(Segment(bytes: copy, start: 0))
        }
    }

    /// Below this size a copy costs less memory than a segment.
    private static let smallestShared = 512

    /// Adds `bytes` from `start` on, without copying them if they are many.
    mutating func append(sharing bytes: [UInt8], from start: Int) {
        guard start < bytes.count else { return }
        guard bytes.count - start >= Self.smallestShared else {
            return self.append(bytes.span.extracting(start..<bytes.count))
        }
        self.count += bytes.count - start
        self.segments.append(Segment(bytes: bytes, start: start))
    }

    /// Passes pieces to `send`, which says how many bytes it took, until it takes less than it was given.
    mutating func flush(_ send: (Span<UInt8>) -> Int) {
        while let first = self.segments.first {
            let waiting = first.bytes.count - first.start
            let taken = send(first.bytes.span.extracting(first.start..<first.bytes.count))
            self.count -= taken
            guard taken == waiting else {
                self.segments[0].start += taken
                return
            }
            self.segments.removeFirst()
        }
        self.segments = Deque()
    }

    mutating func removeAll() {
        self.segments = Deque()
        self.count = 0
    }
}
