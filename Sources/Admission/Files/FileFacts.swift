/// What an answer says of a file.
public struct FileFacts: Equatable, Sendable {
    /// Its name, which says what it is; that of the file itself, in whatever coding it is sent.
    let name: [UInt8]
    /// In bytes, as it is sent.
    let size: Int
    /// The coding of these bytes; `nil`: none.
    let coding: ContentCoding?
    /// There is the same file in a coding, sent or not.
    let hasCodings: Bool
    /// When it last changed, in seconds since 1970-01-01 00:00 UTC.
    let modified: Int64
    /// The same as HTTP writes it.
    let modifiedText: String
    /// As HTTP writes it, with its quotes (RFC 9110 section 8.8.3). It is a strong one: each change gives another time, to the nanosecond as
    /// far as the file system counts them.
    let tag: String

    /// - Parameters:
    ///   - nanoseconds: the rest of `modified`.
    ///   - modifiedText: `modified`, or the present if that is earlier, as HTTP writes it (RFC 9110 section 8.8.2.1).
    public init(
        name: [UInt8], size: Int, modified: Int64, nanoseconds: Int, modifiedText: String, coding: ContentCoding?,
        hasCodings: Bool
    ) {
        self.name = name
        self.size = size
        self.coding = coding
        self.hasCodings = hasCodings
        self.modified = modified
        self.modifiedText = modifiedText
        let numbers = [Int64(size), modified, Int64(nanoseconds)].map { String($0, radix: 16) }
        self.tag = "\"" + (numbers + (coding.map { [$0.rawValue] } ?? [])).joined(separator: "-") + "\""
    }
}
