extension [UInt8] {
    /// Appends a copy of `bytes`.
    package mutating func append(_ bytes: Span<UInt8>) {
        // The pointer is used while the span is.
        unsafe bytes.withUnsafeBufferPointer { unsafe self.append(contentsOf: $0) }
    }

    /// Overwrites what begins at `start` with a copy of `bytes`, which must fit.
    package mutating func replace(at start: Int, with bytes: Span<UInt8>) {
        precondition(start >= 0 && start + bytes.count <= self.count)
        // The ranges are in bounds, as just checked, and a span of another array does not overlap this one.
        unsafe self.withUnsafeMutableBytes { target in
            unsafe bytes.withUnsafeBufferPointer { source in
                unsafe UnsafeMutableRawBufferPointer(rebasing: target[start...]).copyMemory(from: UnsafeRawBufferPointer(source))
            }
        }
    }

    /// A copy of `bytes`.
    package init(copying bytes: Span<UInt8>) {
        self = []
        self.reserveCapacity(bytes.count)
        self.append(bytes)
    }
}
