/// Why a head was refused.
public struct HeadError: Error, Equatable, Sendable {
    /// The kind of fault. It decides the answer to a client.
    public enum Kind: Sendable {
        /// Not as RFC 9112 wants it. To a client: 400.
        case malformed
        /// More bytes or fields than the limits allow. To a client: 431.
        case tooLarge
        /// A version other than HTTP/1.1. To a client: 400.
        case unsupportedVersion
    }

    /// What kind of fault it is.
    public var kind: Kind
    /// What is wrong, in a few words, for the answer and the log.
    public var detail: String

    /// `detail` is the end of a sentence, without a full stop.
    public init(_ kind: Kind, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }
}

extension HeadError {
    static let bareCarriageReturn = HeadError(.malformed, "a CR without LF")

    /// The error for a byte that may not stand in `place`.
    static func unexpected(_ byte: UInt8, in place: String) -> HeadError {
        switch byte {
        case .lineFeed: HeadError(.malformed, "a line ends in LF without CR")
        case .carriageReturn: HeadError(.malformed, "a line ends within \(place)")
        case 0: HeadError(.malformed, "a NUL in \(place)")
        default: HeadError(.malformed, "byte \(self.hexadecimal(byte)) in \(place)")
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        "0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }
}

/// How large a head may be. Both limits are inclusive.
public struct HeadLimits: Equatable, Sendable {
    /// The most bytes, the empty line at the end included.
    var bytes = 16 << 10
    /// The most fields.
    var fields = 100

    /// 16 KiB and 100 fields, unless said otherwise.
    public init(bytes: Int = 16 << 10, fields: Int = 100) {
        self.bytes = bytes
        self.fields = fields
    }
}

/// The result of a parser for the bytes so far.
public enum HeadProgress<Head: Equatable & Sendable>: Equatable, Sendable {
    /// More bytes are needed.
    case incomplete
    /// A whole head of `length` bytes. What follows is not part of it.
    case head(Head, length: Int)
    /// It cannot become a head, whatever comes.
    case invalid(HeadError)
}
