/// The fuzzer's bytes as a sequence of decisions. Once they are used up, every choice is 0.
public struct Choices {
    private let bytes: [UInt8]
    private var position = 0

    /// All of `bytes` are left.
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Whether all bytes are used up.
    public var isEmpty: Bool { self.position >= self.bytes.count }

    /// The next byte.
    public mutating func byte() -> UInt8 {
        guard !self.isEmpty else { return 0 }
        self.position += 1
        return self.bytes[self.position - 1]
    }

    /// The next `count` bytes, or fewer if fewer are left.
    public mutating func bytes(_ count: Int) -> [UInt8] {
        let end = min(self.bytes.count, self.position + count)
        defer { self.position = end }
        return Array(self.bytes[self.position..<end])
    }

    /// One of `values`, chosen by the next byte.
    public mutating func pick<Value>(_ values: [Value]) -> Value { values[Int(self.byte()) % values.count] }

    /// All that is left.
    public mutating func rest() -> [UInt8] { self.bytes(self.bytes.count - self.position) }

    /// `input` in pieces of 1 to 256 bytes. Each of `sizes` is a length minus one; they repeat.
    public static func pieces(of input: [UInt8], sizes: [UInt8]) -> [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        var start = 0
        while start < input.count {
            let size = sizes.isEmpty ? 1 : Int(sizes[pieces.count % sizes.count]) + 1
            let end = min(input.count, start + size)
            pieces.append(input[start..<end])
            start = end
        }
        return pieces
    }
}
