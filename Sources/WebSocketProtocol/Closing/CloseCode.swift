/// The status code of a closing handshake (RFC 6455 section 7.4 and the IANA registry).
public struct CloseCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number on the wire. Any number can stand here: see `isAllowedOnWire`.
    public let rawValue: UInt16

    /// Takes any number.
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// The purpose of the session is fulfilled.
    public static let normal = CloseCode(rawValue: 1000)
    /// A server stops, or a browser leaves the page.
    public static let goingAway = CloseCode(rawValue: 1001)
    /// A peer broke RFC 6455.
    public static let protocolError = CloseCode(rawValue: 1002)
    /// A message does not hold what its type says, such as text that is not UTF-8.
    public static let invalidData = CloseCode(rawValue: 1007)
    /// A message breaks a rule of the endpoint for which there is no other code.
    public static let policy = CloseCode(rawValue: 1008)
    /// A message is larger than the endpoint takes.
    public static let messageTooBig = CloseCode(rawValue: 1009)
    /// An endpoint met something that it cannot work around.
    public static let internalError = CloseCode(rawValue: 1011)
    /// The service restarts: connect again after a random time of 5 to 30 seconds (IANA registry).
    public static let serviceRestart = CloseCode(rawValue: 1012)
    /// The service is overloaded (IANA registry).
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

    /// The number in decimal.
    public var description: String { String(self.rawValue) }
}
