/// The status code of a closing handshake (RFC 6455 section 7.4 and the IANA registry).
package struct CloseCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt16

    package init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    package static let normal = CloseCode(rawValue: 1000)
    package static let goingAway = CloseCode(rawValue: 1001)
    package static let protocolError = CloseCode(rawValue: 1002)
    package static let invalidData = CloseCode(rawValue: 1007)
    package static let policy = CloseCode(rawValue: 1008)
    package static let messageTooBig = CloseCode(rawValue: 1009)
    package static let internalError = CloseCode(rawValue: 1011)
    package static let serviceRestart = CloseCode(rawValue: 1012)
    package static let tryAgainLater = CloseCode(rawValue: 1013)

    /// Whether a close frame may carry the code (RFC 6455 section 7.4, and the codes registered since).
    package var isAllowedOnWire: Bool {
        switch self.rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }

    /// The nearest code that RFC 6455 itself has. 1012 and 1013 were registered later, and some libraries treat them as a
    /// protocol error.
    package var ofRFC6455: CloseCode {
        switch self {
        case .serviceRestart: .goingAway
        case .tryAgainLater: .policy
        default: self
        }
    }

    /// The code as a metric label. The number of labels is bounded, whatever peers send.
    package var label: String {
        switch self.rawValue {
        case 1000...1003, 1005...1015: String(self.rawValue)
        case 3000...3999: "3xxx"
        case 4000...4999: "4xxx"
        default: "other"
        }
    }

    package var description: String { String(self.rawValue) }
}
