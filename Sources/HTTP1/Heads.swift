/// The head of a request (RFC 9112 section 3), found well formed.
package struct RequestHead: Hashable, Sendable {
    package let method: String
    package let target: String
    package let fields: HTTPFields

    package init(method: String, target: String, fields: HTTPFields) {
        self.method = method
        self.target = target
        self.fields = fields
    }
}

/// The head of a response (RFC 9112 section 4), found well formed.
package struct ResponseHead: Hashable, Sendable {
    package let status: Int
    package let reason: String
    package let fields: HTTPFields

    package init(status: Int, reason: String, fields: HTTPFields) {
        self.status = status
        self.reason = reason
        self.fields = fields
    }
}

/// Why a head is not taken.
package struct HeadError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        case malformed
        /// More bytes or fields than allowed.
        case tooLarge
        case unsupportedVersion
    }

    package let kind: Kind
    /// A few words, without what the peer sent.
    package let description: String

    package static func malformed(_ description: String) -> Self { Self(kind: .malformed, description: description) }
}
