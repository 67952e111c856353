/// Counts the records in the ciphertext of one connection (RFC 8446 section 5.1), so that libssl can be given a few at a
/// time.
///
/// It looks only at the length of a record. If the bytes are not TLS, the portions are odd, and libssl reports the fault.
struct RecordCounter: Equatable {
    /// Type, version and length, in bytes.
    private static let headerSize = 5

    /// How many records have begun; it wraps.
    private(set) var count: UInt32 = 0
    /// How many bytes of an incomplete header were counted: up to 4.
    private var headerBytes: UInt8 = 0
    /// The upper byte of the length in an incomplete header.
    private var upperLength: UInt8 = 0
    /// How many bytes of a record's body are still to come.
    private var rest: UInt16 = 0

    /// How many records have begun since `count` was `earlier`.
    func begun(since earlier: UInt32) -> Int { Int(self.count &- earlier) }

    /// Counts the next records.
    ///
    /// - Parameters:
    ///   - most: the most bytes to count.
    ///   - records: the most records to begin.
    /// - Returns: how many bytes were counted, those of incomplete records and of one that began earlier included. 0 only if
    ///   there are none.
    mutating func take(_ bytes: UnsafeBufferPointer<UInt8>, atMost most: Int, records: Int) -> Int {
        let end = min(bytes.count, most)
        var index = 0
        var begun = 0
        while index < end {
            if self.rest > 0 {
                let step = UInt16(clamping: min(Int(self.rest), end - index))
                self.rest -= step
                index += Int(step)
                continue
            }
            if self.headerBytes == 0 {
                guard begun < records else { break }
                begun += 1
                self.count &+= 1
                // Nearly all headers are complete.
                if end - index >= Self.headerSize {
                    self.rest = unsafe UInt16(bytes[index + 3]) << 8 | UInt16(bytes[index + 4])
                    index += Self.headerSize
                    continue
                }
            }
            unsafe self.takeHeader(bytes[index])
            index += 1
        }
        return index
    }

    private mutating func takeHeader(_ byte: UInt8) {
        switch self.headerBytes {
        case 3: self.upperLength = byte
        case 4:
            self.rest = UInt16(self.upperLength) << 8 | UInt16(byte)
            self.headerBytes = 0
            return
        default: break
        }
        self.headerBytes += 1
    }
}
