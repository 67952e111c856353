public import Sessions

/// An order to close a session, and what its client is told.
public struct CloseOrder: Equatable, Sendable {
    /// The session to close.
    public var id: SessionID
    /// The code of the client's Close; one that `allows` permits.
    public var code: UInt16
    /// The reason in the client's Close, at most `longestReason` bytes.
    public var reason: String

    /// The code if the operator names none: "policy violation" (RFC 6455 section 7.4.1).
    public static let defaultCode: UInt16 = 1008
    /// The most bytes of a reason: a control frame's payload without the code (RFC 6455 section 5.5).
    public static let longestReason = 123

    /// See the properties.
    public init(id: SessionID, code: UInt16, reason: String) {
        self.id = id
        self.code = code
        self.reason = reason
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
}
