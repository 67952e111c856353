/// What a Close says: a code and a reason, or nothing (RFC 6455 section 5.5.1).
package struct CloseFrame: Hashable, Sendable {
    /// `nil`: the Close has no payload.
    package let code: CloseCode?
    package let reason: String

    /// The longest reason, in bytes of UTF-8: a control frame's 125 less the code.
    package static let longestReason = 123

    package static let empty = CloseFrame(code: nil)

    /// - Parameter reason: cut to what fits, between two characters.
    package init(code: CloseCode?, reason: String = "") {
        self.code = code
        var reason = code == nil ? "" : reason
        while reason.utf8.count > Self.longestReason { reason.removeLast() }
        self.reason = reason
    }

    /// Reads a payload that was found valid.
    ///
    /// - Parameter payload: unmasked.
    package init(payload: [UInt8]) {
        guard payload.count >= 2 else {
            self.init(code: nil)
            return
        }
        let code = CloseCode(rawValue: UInt16(payload[0]) << 8 | UInt16(payload[1]))
        self.init(code: code, reason: String(decoding: payload[2...], as: UTF8.self))
    }

    /// What is wrong with a Close's payload, if anything.
    ///
    /// - Parameter payload: unmasked.
    package static func violation(in payload: [UInt8]) -> Violation? {
        guard !payload.isEmpty else { return nil }
        guard payload.count >= 2 else { return .badClosePayload }
        guard CloseCode(rawValue: UInt16(payload[0]) << 8 | UInt16(payload[1])).isAllowedOnWire else {
            return .badClosePayload
        }
        var validator = UTF8Validator()
        let isText = validator.consume(payload.span.extracting(2..<payload.count)) && validator.isComplete
        return isText ? nil : .invalidUTF8
    }

    /// Unmasked.
    package var payload: [UInt8] {
        guard let code = self.code else { return [] }
        return [UInt8(code.rawValue >> 8), UInt8(code.rawValue & 0xFF)] + self.reason.utf8
    }
}
