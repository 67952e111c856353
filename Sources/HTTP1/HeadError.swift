/// Why a head is refused.
package struct HeadError: Error, Equatable, Sendable {
    package enum Kind: Sendable {
        /// Not HTTP/1.1 as RFC 9112 writes it. To a client: 400.
        case malformed
        /// More bytes or fields than the limits allow. To a client: 431.
        case tooLarge
        /// A version other than HTTP/1.1. To a client: 400.
        case unsupportedVersion
    }

    package var kind: Kind
    /// What is wrong, in a few words, for the answer and the log.
    package var detail: String

    package init(_ kind: Kind, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }
}

/// How large a head may be. Both are inclusive.
package struct HeadLimits: Equatable, Sendable {
    /// Bytes, the empty line at the end included.
    package var bytes = 16 << 10
    package var fields = 100

    package init(bytes: Int = 16 << 10, fields: Int = 100) {
        self.bytes = bytes
        self.fields = fields
    }
}

/// What a parser makes of the bytes so far.
package enum HeadProgress<Head: Equatable & Sendable>: Equatable, Sendable {
    case incomplete
    /// A whole head; `length` bytes are its own, what follows them is not.
    case head(Head, length: Int)
    case invalid(HeadError)
}
