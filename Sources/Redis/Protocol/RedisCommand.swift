/// A command as a server reads it: an array of strings, the same in RESP2 and RESP3.
public struct RedisCommand: Equatable, Sendable {
    /// The name, and what follows it. Any bytes.
    let words: [[UInt8]]

    /// - Parameter words: the name, and what follows it.
    public init(_ words: [[UInt8]]) { self.words = words }

    /// A command in which everything is text.
    init(_ words: String...) { self.words = words.map { Array($0.utf8) } }

    /// On the wire.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(self.words.reduce(16) { $0 + $1.count + 16 })
        bytes += "*\(self.words.count)\r\n".utf8
        for word in self.words {
            bytes += "$\(word.count)\r\n".utf8
            bytes += word
            bytes += "\r\n".utf8
        }
        return bytes
    }
}
