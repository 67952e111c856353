/// The fuzzer's bytes as a row of decisions. Where they are used up, every choice is 0.
public struct Choices {
    private let bytes: [UInt8]
    private var position = 0

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    public var isEmpty: Bool { self.position >= self.bytes.count }

    public mutating func byte() -> UInt8 {
        guard !self.isEmpty else { return 0 }
        self.position += 1
        return self.bytes[self.position - 1]
    }

    public mutating func bytes(_ count: Int) -> [UInt8] {
        let end = min(self.bytes.count, self.position + count)
        defer { self.position = end }
        return Array(self.bytes[self.position..<end])
    }

    public mutating func pick<Value>(_ values: [Value]) -> Value { values[Int(self.byte()) % values.count] }

    /// All that is left.
    public mutating func rest() -> [UInt8] { self.bytes(self.bytes.count - self.position) }

    /// `input` in pieces of 1 to 256 bytes: `sizes`, each less by one, again and again.
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
