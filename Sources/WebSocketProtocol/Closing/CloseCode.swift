/// The status code of a closing handshake (RFC 6455 section 7.4 and the IANA registry).
public struct CloseCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt16

    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    public static let normal = CloseCode(rawValue: 1000)
    public static let goingAway = CloseCode(rawValue: 1001)
    public static let protocolError = CloseCode(rawValue: 1002)
    public static let invalidData = CloseCode(rawValue: 1007)
    public static let policy = CloseCode(rawValue: 1008)
    public static let messageTooBig = CloseCode(rawValue: 1009)
    public static let internalError = CloseCode(rawValue: 1011)
    public static let serviceRestart = CloseCode(rawValue: 1012)
    public static let tryAgainLater = CloseCode(rawValue: 1013)

    /// Whether a close frame may carry the code (RFC 6455 section 7.4, and the codes registered since).
    public var isAllowedOnWire: Bool {
        switch self.rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }

    /// The nearest code that RFC 6455 itself has. 1012 and 1013 were registered later, and some libraries treat them as a
    /// protocol error.
    public var ofRFC6455: CloseCode {
        switch self {
        case .serviceRestart: .goingAway
        case .tryAgainLater: .policy
        default: self
        }
    }

    /// The code as a metric label. The number of labels is bounded, whatever peers send.
    public var label: String {
        switch self.rawValue {
        case 1000...1003, 1005...1015: String(self.rawValue)
        case 3000...3999: "3xxx"
        case 4000...4999: "4xxx"
        default: "other"
        }
    }

    public var description: String { String(self.rawValue) }
}
