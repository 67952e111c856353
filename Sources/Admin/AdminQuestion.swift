public import ControlPlane
internal import DataPlane
public import Sessions

/// What a request asks of the gateway.
public enum AdminQuestion: Equatable, Sendable {
    case readiness
    case metrics
    case sessions
    case backends
    case close(CloseOrder)
    case reload(dryRun: Bool)
    case drain(DrainSelection, undo: Bool)
}

/// The session to close, and what its client is told.
public struct CloseOrder: Equatable, Sendable {
    public var id: SessionID
    public var code: UInt16
    public var reason: String

    /// For a Close that an operator sends without saying more (RFC 6455 section 7.4.1, "policy violation").
    public static let defaultCode: UInt16 = 1008
    /// A control frame's payload less the code (RFC 6455 section 5.5).
    public static let longestReason = 123

    public init(id: SessionID, code: UInt16, reason: String) {
        self.id = id
        self.code = code
        self.reason = reason
    }

    /// The registered codes that make sense from an operator: the others say what a peer did, or what happened to a connection.
    private static let codes = [1000, 1001, 1008, 1011, 1012]
    /// Those of libraries and applications (RFC 6455 section 7.4.2).
    private static let privateCodes = 3000...4999

    public static func allows(_ code: Int) -> Bool { self.codes.contains(code) || self.privateCodes.contains(code) }

    /// The codes that an operator may send, as people read them.
    public static let codesText =
        codes.map(String.init).joined(separator: ", ")
        + ", or from \(privateCodes.lowerBound) to \(privateCodes.upperBound)"
}
