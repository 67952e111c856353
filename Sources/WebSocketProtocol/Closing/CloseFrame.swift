/// The content of a close frame (RFC 6455 section 5.5.1).
public struct CloseFrame: Hashable, Sendable {
    /// `nil` if the frame has no payload.
    public var code: CloseCode?
    /// Empty without a code.
    public var reason: String

    /// Without a code there is no reason: a payload cannot have it alone.
    public init(code: CloseCode?, reason: String = "") {
        self.code = code
        self.reason = code == nil ? "" : reason
    }

    /// Reads the unmasked payload of a close frame.
    ///
    /// - Throws: `badClosePayload`, `badCloseCode` or `invalidUTF8`.
    public init(payload: Span<UInt8>) throws(Violation) {
        if let violation = Self.violation(in: payload, maskingKey: nil) { throw violation }
        guard payload.count >= 2 else {
            self.init(code: nil)
            return
        }
        var reason: [UInt8] = []
        Masking.appendXored(payload.extracting(2..<payload.count), with: nil, to: &reason)
        self.init(
            code: CloseCode(rawValue: UInt16(payload[0]) << 8 | UInt16(payload[1])),
            reason: String(decoding: reason, as: UTF8.self))
    }

    /// The longest reason, in bytes: 125 bytes of payload less two for the code.
    public static let maximumReason = 123

    /// The payload, unmasked. A reason of more than `maximumReason` bytes is cut between characters. A code that may not
    /// go on the wire, such as 1005, is left out, and the reason with it.
    public var encodedPayload: [UInt8] {
        guard let code = self.code, code.isAllowedOnWire else { return [] }
        var payload = [UInt8(code.rawValue >> 8), UInt8(truncatingIfNeeded: code.rawValue)]
        payload.append(contentsOf: self.reason.utf8.prefix(Self.maximumReason + 1))
        guard payload.count > 2 + Self.maximumReason else { return payload }
        // Remove the byte that is too many, and the rest of its character.
        while let byte = payload.popLast(), byte & 0xC0 == 0x80 {}
        return payload
    }

    /// The rule that the payload of a close frame breaks, if any. The payload is not copied.
    static func violation(in payload: Span<UInt8>, maskingKey: MaskingKey?) -> Violation? {
        guard payload.count > 0 else { return nil }
        guard payload.count >= 2 else { return .badClosePayload }
        let key = maskingKey ?? MaskingKey(bits: 0)
        let code = CloseCode(rawValue: UInt16(payload[0] ^ key[0]) << 8 | UInt16(payload[1] ^ key[1]))
        guard code.isAllowedOnWire else { return .badCloseCode }
        var validator = UTF8Validator()
        let isText = validator.consume(payload.extracting(2..<payload.count), maskingKey: key.rotated(by: 2))
        return isText && validator.isComplete ? nil : .invalidUTF8
    }
}
