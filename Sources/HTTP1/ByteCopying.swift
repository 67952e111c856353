/// Copies of memory: loops over spans take a byte at a time.
extension [UInt8] {
    /// Appends a copy of `bytes`.
    public mutating func append(contentsOf bytes: Span<UInt8>) {
        // The pointer is used only inside the closure.
        unsafe bytes.withUnsafeBufferPointer { unsafe self.append(contentsOf: $0) }
    }
}

extension OutputSpan<UInt8> {
    /// Appends a copy of `bytes`, for which there has to be room.
    mutating func append(contentsOf bytes: Span<UInt8>) {
        precondition(bytes.count <= self.freeCapacity)
        // There is room, as just checked, and the pointers are used only inside the closures.
        unsafe self.withUnsafeMutableBufferPointer { buffer, count in
            unsafe bytes.withUnsafeBufferPointer { source in
                guard let start = buffer.baseAddress, let base = source.baseAddress else { return }
                unsafe (start + count).update(from: base, count: source.count)
                count += source.count
            }
        }
    }
}
