/// Where the records of one connection begin in its ciphertext (RFC 8446 section 5.1): enough to give libssl few of them at a time, and to
/// know how many it was given.
///
/// A record is taken by its length alone. What is no TLS only makes the portions odd, and libssl says that it is none.
struct RecordCounter: Equatable {
    /// Type, version and length.
    private static let headerSize = 5

    /// How many records have begun; it wraps.
    private(set) var count: UInt32 = 0
    /// How many bytes of a header, that is not whole, were counted, up to 4, and the upper half of its length.
    private var headerBytes: UInt8 = 0
    private var upperLength: UInt8 = 0
    /// How many bytes of a record's body are still to come.
    private var rest: UInt16 = 0

    /// How many records have begun since there were `earlier`.
    func begun(since earlier: UInt32) -> Int { Int(self.count &- earlier) }

    /// Counts the next records, at most so many and so many bytes.
    ///
    /// - Returns: how many bytes they are, those of a record that is not whole, or of one that began earlier, included; 0 only where
    ///   there is none.
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
                // Nearly all headers come whole.
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
