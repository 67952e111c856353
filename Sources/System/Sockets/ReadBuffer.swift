/// A fixed piece of memory that sockets are read into, again and again, by one thread.
///
/// A class over memory of its own rather than an array: spans of an array inside of a class cannot be handed on, and every access
/// to one costs a check that no other is under way. Here that is up to the owner: what a span shows changes with the next
/// read.
@safe package final class ReadBuffer {
    package let count: Int
    // Allocated in `init`, freed in `deinit`; nobody else has the pointer but spans, which cannot outlive the buffer.
    private let start: UnsafeMutablePointer<UInt8>

    package init(count: Int) {
        self.count = count
        unsafe self.start = .allocate(capacity: count)
        unsafe self.start.initialize(repeating: 0, count: count)
    }

    deinit {
        unsafe self.start.deallocate()
    }

    package var span: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            // All `count` bytes are initialised, and live as long as the buffer.
            unsafe _overrideLifetime(Span(_unsafeStart: self.start, count: self.count), borrowing: self)
        }
    }

    package var mutableSpan: MutableSpan<UInt8> {
        @_lifetime(borrow self)
        get {
            // As above. Two spans may overlap in time; bytes are plain memory, and one thread uses them.
            unsafe _overrideLifetime(MutableSpan(_unsafeStart: self.start, count: self.count), borrowing: self)
        }
    }

    /// A copy of what must outlive the next read.
    package func copy(_ range: Range<Int>) -> [UInt8] { [UInt8](copying: self.span.extracting(range)) }

    /// Overwrites what begins at `position` with a copy of `bytes`, which must fit.
    package func replace(at position: Int, with bytes: Span<UInt8>) {
        precondition(position >= 0 && position + bytes.count <= self.count)
        // In bounds, as just checked; `memmove` semantics allow the source to be a part of this buffer.
        unsafe bytes.withUnsafeBufferPointer { source in
            guard let base = source.baseAddress else { return }
            unsafe UnsafeMutableRawPointer(self.start + position).copyMemory(from: base, byteCount: bytes.count)
        }
    }
}
