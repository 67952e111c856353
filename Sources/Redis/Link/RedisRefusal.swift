/// What a server says when it refuses a command: a word in capitals, and more.
struct RedisRefusal: Equatable, CustomStringConvertible {
    /// The word, such as `NOPERM`.
    let code: String
    /// All of it, for the log: printable, and cut.
    let description: String

    private static let longest = 200

    init(_ bytes: [UInt8]) {
        let text = String(decoding: bytes.prefix(Self.longest), as: UTF8.self)
        let shown = String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
        self.description = bytes.count > Self.longest ? shown + "…" : shown
        let word = bytes.prefix { $0 != UInt8(ascii: " ") }
        let isCode = (1...20).contains(word.count) && word.allSatisfy { (0x41...0x5A).contains($0) }
        let inner = Self.codesOfEnd.first { shown.contains("-\($0) ") }
        self.code = inner ?? (isCode ? String(decoding: word, as: UTF8.self) : "ERR")
    }

    /// With these the server is of no use now, or another one has its place: the link ends, and the name is looked up again. Before
    /// Redis 7 a script's error has the code in its middle.
    private static let codesOfEnd = ["READONLY", "LOADING", "MASTERDOWN", "NOAUTH"]

    /// Whether the link has to end.
    var endsLink: Bool { Self.codesOfEnd.contains(self.code) }
}
