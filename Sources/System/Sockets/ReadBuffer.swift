/// A fixed piece of memory into which one thread reads from sockets, again and again.
///
/// It owns raw memory instead of an array: a span of an array in a class cannot be passed on, and every access to it costs an
/// exclusivity check. Here the owner has to take care: the content of a span changes with the next read.
@safe public final class ReadBuffer {
    /// In bytes.
    public let count: Int
    // Allocated in `init`, freed in `deinit`. Only spans share the pointer, and they cannot outlive the buffer.
    private let start: UnsafeMutablePointer<UInt8>

    /// - Parameter count: in bytes.
    public init(count: Int) {
        self.count = count
        unsafe self.start = .allocate(capacity: count)
        unsafe self.start.initialize(repeating: 0, count: count)
    }

    deinit {
        unsafe self.start.deallocate()
    }

    /// All of the buffer.
    public var span: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            // All `count` bytes are initialised, and live as long as the buffer.
            unsafe _overrideLifetime(Span(_unsafeStart: self.start, count: self.count), borrowing: self)
        }
    }

    /// All of the buffer, to write to.
    public var mutableSpan: MutableSpan<UInt8> {
        @_lifetime(borrow self)
        get {
            // As above. Two spans may exist at the same time: bytes are plain memory, and one thread uses them.
            unsafe _overrideLifetime(MutableSpan(_unsafeStart: self.start, count: self.count), borrowing: self)
        }
    }

    /// A copy of some bytes, which outlives the next read.
    public func copy(_ range: Range<Int>) -> [UInt8] { [UInt8](copying: self.span.extracting(range)) }

    /// Overwrites the bytes from `position` on with a copy of `bytes`, which must fit.
    public func replace(at position: Int, with bytes: Span<UInt8>) {
        precondition(position >= 0 && position + bytes.count <= self.count)
        // In bounds, as just checked. The source may be a part of this buffer, as for `memmove`.
        unsafe bytes.withUnsafeBufferPointer { source in
            guard let base = source.baseAddress else { return }
            unsafe UnsafeMutableRawPointer(self.start + position).copyMemory(from: base, byteCount: bytes.count)
        }
    }
}

extension [UInt8] {
    /// Appends a copy of `bytes`.
    public mutating func append(_ bytes: Span<UInt8>) {
        // The pointer is used only inside the closure.
        unsafe bytes.withUnsafeBufferPointer { unsafe self.append(contentsOf: $0) }
    }

    /// A copy of `bytes`.
    public init(copying bytes: Span<UInt8>) {
        self = []
        self.reserveCapacity(bytes.count)
        self.append(bytes)
    }
}
