internal import Sessions
internal import WebSocketProtocol

/// An operator's order to close sessions, and what their clients are told.
public struct CloseOrder: Equatable, Sendable {
    /// The sessions to close.
    public var filter: SessionFilter
    /// The code of the clients' Close; one that `allows` permits.
    public var code: UInt16
    /// The reason in the clients' Close, at most `longestReason` bytes; empty for the usual one.
    public var reason: String
    /// How long requests of the filter's subject are refused; `nil`: they are not.
    public var keepingOut: Duration?
    /// Whether to close none, but to count them.
    public var isDryRun: Bool

    /// The code if the operator names none: "policy violation" (RFC 6455 section 7.4.1).
    public static let defaultCode: UInt16 = 1008
    /// The most bytes of a reason: a control frame's payload without the code (RFC 6455 section 5.5).
    public static let longestReason = 123

    /// See the properties.
    public init(
        _ filter: SessionFilter, code: UInt16 = Self.defaultCode, reason: String = "", keepingOut: Duration? = nil,
        isDryRun: Bool = false
    ) {
        self.filter = filter
        self.code = code
        self.reason = reason
        self.keepingOut = keepingOut
        self.isDryRun = isDryRun
    }

    /// The registered codes that an operator may send. The others say what a peer did or what happened to a connection.
    private static let codes = [1000, 1001, 1008, 1011, 1012]
    /// The codes of libraries and applications (RFC 6455 section 7.4.2).
    private static let privateCodes = 3000...4999

    /// Whether an operator may send this code.
    public static func allows(_ code: Int) -> Bool { self.codes.contains(code) || self.privateCodes.contains(code) }

    /// The permitted codes, for messages.
    public static let codesText =
        codes.map(String.init).joined(separator: ", ")
        + ", or from \(privateCodes.lowerBound) to \(privateCodes.upperBound)"

    /// What the sessions end with.
    var ending: Ending {
        let cause = self.filter.subject == nil ? Cause.admin : .credentialRevoked
        return .byAdmin(CloseCode(rawValue: self.code), reason: self.reason, for: cause)
    }
}
