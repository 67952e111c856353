internal import HTTP1

/// Identifies a session in the log, in `X-Request-Id` and at the admin address: 64 random bits, written as 16 hexadecimal digits.
public struct SessionID: Hashable, Sendable, CustomStringConvertible {
    /// The 64 random bits.
    public let number: UInt64

    private init(number: UInt64) { self.number = number }

    /// A new one, from the system's generator.
    public static func random() -> SessionID { SessionID(number: Randomness.word()) }

    /// Reads what `description` writes; `nil` for anything else.
    public init?(_ text: String) {
        guard text.utf8.count == 16, !text.hasPrefix("+"), let number = UInt64(text, radix: 16) else { return nil }
        self.number = number
        guard self.description == text else { return nil }
    }

    /// 16 lowercase hexadecimal digits.
    public var description: String {
        let digits = InlineArray<16, UInt8> { place in
            let digit = UInt8(truncatingIfNeeded: self.number >> UInt64(60 - 4 * place) & 15)
            return digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
        }
        return asciiText(digits.span)
    }
}
