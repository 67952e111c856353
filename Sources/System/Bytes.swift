extension [UInt8] {
    /// Appends a copy of `bytes`.
    package mutating func append(_ bytes: Span<UInt8>) {
        // The pointer is used while the span is.
        unsafe bytes.withUnsafeBufferPointer { unsafe self.append(contentsOf: $0) }
    }

    /// A copy of `bytes`.
    package init(copying bytes: Span<UInt8>) {
        self = []
        self.reserveCapacity(bytes.count)
        self.append(bytes)
    }
}
