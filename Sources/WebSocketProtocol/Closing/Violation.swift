/// A rule of the protocol, or a limit of ours, that a peer has broken.
public enum Violation: Error, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    /// RSV2 or RSV3, or RSV1 where nothing is compressed.
    case reservedBits
    /// 3 to 7, or 11 to 15.
    case unknownOpcode
    /// A control frame without FIN.
    case fragmentedControl
    /// A control frame's length of more than 125.
    case controlTooLong
    /// A length in more bytes than it needs.
    case lengthNotMinimal
    /// A length with its highest bit set.
    case lengthOverflow
    /// From a client, which must mask.
    case unmaskedFrame
    /// From a server, which must not mask.
    case maskedFrame
    /// A continuation frame between two messages.
    case unexpectedContinuation
    /// A text or binary frame within a message.
    case expectedContinuation
    /// More bytes than `limits` allow. It is a limit of ours.
    case messageTooBig
    /// More frames than `limits` allow. It is a limit of ours.
    case tooManyFragments
    /// A payload of one byte: half a close code.
    case badClosePayload
    /// A close code that is reserved or unknown.
    case badCloseCode
    /// In a text message, or in the reason of a close frame.
    case invalidUTF8
    /// DEFLATE that zlib refuses.
    case invalidCompressedData

    /// The cause of the session's end. Log and metrics have a word for each.
    public enum Kind: Hashable, Sendable {
        /// A rule about frames was broken.
        case protocolError
        /// The payload is not what the message's type says.
        case invalidData
        /// A message is larger than the limit.
        case messageTooBig
        /// A message has more frames than the limit.
        case tooManyFragments
    }

    /// The cause that this violation counts as.
    public var kind: Kind {
        switch self {
        case .reservedBits, .unknownOpcode, .fragmentedControl, .controlTooLong, .lengthNotMinimal, .lengthOverflow,
            .unmaskedFrame, .maskedFrame, .unexpectedContinuation, .expectedContinuation, .badClosePayload,
            .badCloseCode:
            .protocolError
        case .invalidUTF8, .invalidCompressedData: .invalidData
        case .messageTooBig: .messageTooBig
        case .tooManyFragments: .tooManyFragments
        }
    }

    /// The close code for the peer that broke the rule (RFC 6455 section 7.4.1).
    public var closeCode: CloseCode {
        switch self.kind {
        case .protocolError: .protocolError
        case .invalidData: .invalidData
        case .messageTooBig, .tooManyFragments: .messageTooBig
        }
    }

    /// A stable text for the log, with the section of RFC 6455 or 7692. It fits the reason of a close frame.
    public var description: String {
        switch self {
        case .reservedBits: "reserved bit set without an extension that uses it (RFC 6455 5.2)"
        case .unknownOpcode: "reserved opcode (RFC 6455 5.2)"
        case .fragmentedControl: "fragmented control frame (RFC 6455 5.5)"
        case .controlTooLong: "control frame with more than 125 bytes (RFC 6455 5.5)"
        case .lengthNotMinimal: "payload length not in its shortest form (RFC 6455 5.2)"
        case .lengthOverflow: "payload length of 2^63 or more (RFC 6455 5.2)"
        case .unmaskedFrame: "frame without a mask from a client (RFC 6455 5.1)"
        case .maskedFrame: "frame with a mask from a server (RFC 6455 5.1)"
        case .unexpectedContinuation: "continuation without a message to continue (RFC 6455 5.4)"
        case .expectedContinuation: "new message inside a fragmented one (RFC 6455 5.4)"
        case .messageTooBig: "message over the size limit (RFC 6455 7.4.1)"
        case .tooManyFragments: "message over the fragment limit (RFC 6455 7.4.1)"
        case .badClosePayload: "close frame with a payload of one byte (RFC 6455 5.5.1)"
        case .badCloseCode: "close frame with a code that must not be sent (RFC 6455 7.4)"
        case .invalidUTF8: "text that is not UTF-8 (RFC 6455 8.1)"
        case .invalidCompressedData: "compressed message that cannot be inflated (RFC 7692 7.2.2)"
        }
    }
}
