internal import HTTP1

/// A file of tokens, as websockify's TokenFile has them: lines of `TOKEN: host:port`, `TOKEN: [v6]:port` or `TOKEN: unix:/path`, and comments
/// after `#`. Nothing here shows what a line says, because it may be a secret.
public struct TokenFile: Equatable, Sendable {
    /// A token and the address that it stands for.
    public struct Entry: Equatable, Sendable {
        /// Counted from 1.
        public let line: Int
        /// As it is written, byte by byte. Never empty.
        public let token: [UInt8]
        /// Where its sessions lead.
        public let address: Address
    }

    /// A line that says nothing.
    public struct Flaw: Hashable, Sendable {
        /// Counted from 1.
        public let line: Int
        /// The end of a sentence about the line.
        public let problem: String
    }

    /// In the order of the lines.
    public private(set) var entries: [Entry] = []
    /// In the order of the lines.
    public private(set) var flaws: [Flaw] = []

    /// Reads the bytes of a file. Lines end with LF or CRLF, the last one also without. A byte order mark at the start is left out.
    public init(_ bytes: [UInt8]) {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let text = bytes.starts(with: mark) ? bytes.dropFirst(mark.count) : bytes[...]
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() { self.read(Self.trimmed(line), line: index + 1) }
    }

    private mutating func read(_ text: ArraySlice<UInt8>, line: Int) {
        guard let first = text.first, first != UInt8(ascii: "#") else { return }
        do throws(Mistake) {
            let colon = try Self.separator(text)
            let token = Self.trimmed(text[..<colon])
            guard !token.isEmpty else { throw Mistake("has no token before its colon") }
            let address = try Self.address(Self.trimmed(Self.withoutComment(text[(colon + 1)...])))
            self.entries.append(Entry(line: line, token: Array(token), address: address))
        } catch {
            self.flaws.append(Flaw(line: line, problem: error.problem))
        }
    }

    /// The first colon that white space follows: a token may have colons itself.
    private static func separator(_ text: ArraySlice<UInt8>) throws(Mistake) -> Int {
        let colon = text.indices.dropLast().first { text[$0] == UInt8(ascii: ":") && self.isBlank(text[$0 + 1]) }
        guard let colon else { throw Mistake("has no colon and space between a token and its target") }
        return colon
    }

    /// What stands before a `#` that is behind white space.
    private static func withoutComment(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let mark = text.indices.dropFirst().first { text[$0] == UInt8(ascii: "#") && self.isBlank(text[$0 - 1]) }
        return mark.map { text[..<$0] } ?? text
    }

    private static func address(_ text: ArraySlice<UInt8>) throws(Mistake) -> Address {
        // The mistake of an address would say the address, and part of a token may stand in its place.
        guard let text = String(validating: text, as: UTF8.self),
            let address = try? Address(parsing: text, for: .connect)
        else { throw Mistake("has a target that is neither host:port, [v6]:port nor unix:/path") }
        return address
    }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard let first = text.firstIndex(where: { !self.isBlank($0) }),
            let last = text.lastIndex(where: { !self.isBlank($0) })
        else { return [] }
        return text[first...last]
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == .space || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }
}
