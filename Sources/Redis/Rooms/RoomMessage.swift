internal import HTTP1

/// A message of a room as it is at the server: a line, LF, and the payload. The line has words with spaces between them: the version of the
/// form, the offset and the epoch (`-` without history), the time in milliseconds since 1970, `t` or `b`, followed by a point and its origin
/// if that is known, and the session that does not get it (`-`: all do). The scripts write it.
public struct RoomMessage: Equatable, Sendable {
    /// Where it is in the history; `nil`: the room has none.
    public let position: RoomPosition?
    /// When it was published, by the server's clock, in milliseconds since 1970.
    public let time: Int64
    /// Whether it is text, which is valid UTF-8 if its publisher was right.
    public let isText: Bool
    /// What its publisher calls it: it sees by that which messages are its own.
    public let origin: String?
    /// The session that does not get it.
    public let excluded: String?
    /// What members get.
    public let payload: [UInt8]

    static let longestLine = 1024

    /// - Returns: `nil` for bytes that are no message of a gateway.
    public init?(_ bytes: [UInt8]) {
        guard let end = bytes.prefix(Self.longestLine).firstIndex(of: UInt8(ascii: "\n")),
            let line = String(validating: bytes[..<end], as: UTF8.self)
        else { return nil }
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 6, words[0] == "1", let time = Int64(words[3]) else { return nil }
        let kind = words[4].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard ["t", "b"].contains(kind[0]) else { return nil }
        if words[1] == "-", words[2] == "-" {
            self.position = nil
        } else {
            guard let offset = Int64(words[1]), offset > 0,
                let position = RoomPosition(checking: String(words[2]), offset)
            else { return nil }
            self.position = position
        }
        self.time = time
        self.isText = kind[0] == "t"
        self.origin = kind.count == 2 ? String(kind[1]) : nil
        self.excluded = words[5] == "-" ? nil : String(words[5])
        self.payload = Array(bytes[(end + 1)...])
    }
}
