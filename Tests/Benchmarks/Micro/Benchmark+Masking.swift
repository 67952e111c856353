import WebSocketProtocol

extension Benchmark {
    /// Masking in place, and unmasking into a copy.
    static var masking: [Benchmark] {
        [
            Self.mask("mask-1k", piece: 1024, per: .kibibyte),
            Self.mask("mask-64", piece: 64, per: .message),
            Self.unmask("unmask-copy-1k", piece: 1024),
        ]
    }

    /// Masks `Inputs.size` bytes in pieces, from an unaligned address, as payload has.
    private static func mask(_ name: String, piece: Int, per unit: Unit) -> Benchmark {
        Benchmark(name, per: unit) {
            let pieces = Inputs.size / piece
            let store = Store(Inputs.noise(Inputs.size + 16))
            return Work(units: unit == .kibibyte ? Inputs.size >> 10 : pieces, expecting: pieces) {
                var changed = 0
                var key = MaskingKey(bits: 0x1234_5679)
                // Moved out and back, because a span needs exclusive access.
                var bytes: [UInt8] = []
                swap(&bytes, &store.bytes)
                defer { swap(&bytes, &store.bytes) }
                var span = bytes.mutableSpan
                for index in 0..<pieces {
                    let start = 6 + index * piece
                    let before = span[start]
                    Masking.apply(key, to: &span, range: start..<start + piece)
                    if before != span[start] { changed += 1 }
                    // No byte of a key is zero, so that every byte changes.
                    key = MaskingKey(bits: key.bits &+ 0x0202_0202 | 0x0101_0101)
                }
                return changed
            }
        }
    }

    private static func unmask(_ name: String, piece: Int) -> Benchmark {
        Benchmark(name, per: .kibibyte) {
            let bytes = Inputs.noise(Inputs.size)
            let key = MaskingKey(0x9C, 0x31, 0xE7, 0x58)
            let store = Store([])
            return Work(units: bytes.count >> 10, expecting: bytes.count) {
                var count = 0
                for start in stride(from: 0, to: bytes.count, by: piece) {
                    store.bytes.removeAll(keepingCapacity: true)
                    Masking.appendXored(
                        bytes.span.extracting(start..<start + piece), with: key, to: &store.bytes)
                    count += store.bytes.count
                }
                return count
            }
        }
    }

    /// Bytes that iterations share.
    private final class Store {
        var bytes: [UInt8]

        init(_ bytes: [UInt8]) { self.bytes = bytes }
    }
}
