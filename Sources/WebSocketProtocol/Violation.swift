/// A rule of RFC 6455, or a limit, that a peer's frame breaks.
package enum Violation: Error, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    case unmaskedFrame
    case maskedFrame
    case reservedBits
    case unknownOpcode
    case fragmentedControl
    case controlTooLong
    case unexpectedContinuation
    case expectedContinuation
    case lengthNotMinimal
    case lengthOverflow
    case badClosePayload
    case invalidUTF8
    case messageTooBig
    case tooManyFragments

    /// What kind of mistake it is: the session's cause.
    package enum Kind: Hashable, Sendable {
        case protocolError
        case invalidData
        case messageTooBig
        case tooManyFragments
    }

    package var kind: Kind {
        switch self {
        case .unmaskedFrame, .maskedFrame, .reservedBits, .unknownOpcode, .fragmentedControl, .controlTooLong,
            .unexpectedContinuation, .expectedContinuation, .lengthNotMinimal, .lengthOverflow, .badClosePayload:
            .protocolError
        case .invalidUTF8: .invalidData
        case .messageTooBig: .messageTooBig
        case .tooManyFragments: .tooManyFragments
        }
    }

    /// The code that tells the peer (RFC 6455 section 7.4.1).
    package var closeCode: CloseCode {
        switch self.kind {
        case .protocolError: .protocolError
        case .invalidData: .invalidData
        case .messageTooBig, .tooManyFragments: .messageTooBig
        }
    }

    /// One sentence, with the section of RFC 6455.
    package var description: String {
        switch self {
        case .unmaskedFrame: "a client's frame is not masked (5.1)"
        case .maskedFrame: "a server's frame is masked (5.1)"
        case .reservedBits: "a reserved bit is set that no extension gives a meaning (5.2)"
        case .unknownOpcode: "the opcode is not defined (5.2)"
        case .fragmentedControl: "a control frame is fragmented (5.5)"
        case .controlTooLong: "a control frame has more than 125 bytes (5.5)"
        case .unexpectedContinuation: "a continuation without a message to continue (5.4)"
        case .expectedContinuation: "a new message before the last one ended (5.4)"
        case .lengthNotMinimal: "the length is not written in the fewest bytes (5.2)"
        case .lengthOverflow: "the length has its highest bit set (5.2)"
        case .badClosePayload: "a Close with half a code or one that is not allowed (5.5.1, 7.4)"
        case .invalidUTF8: "text that is not UTF-8 (8.1)"
        case .messageTooBig: "the message is larger than the limit"
        case .tooManyFragments: "the message has more fragments than the limit"
        }
    }
}
