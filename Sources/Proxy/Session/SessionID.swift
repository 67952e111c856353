/// Names a session everywhere: in the log, in `X-Request-Id`, at the admin address. 64 random bits, as 16 hexadecimal digits.
package struct SessionID: Hashable, Sendable, CustomStringConvertible {
    let number: UInt64

    private init(number: UInt64) { self.number = number }

    static func random() -> SessionID { SessionID(number: .random(in: .min ... .max)) }

    /// Reads what `description` writes; nil for anything else.
    package init?(_ text: String) {
        guard text.utf8.count == 16, !text.hasPrefix("+"), let number = UInt64(text, radix: 16) else { return nil }
        self.number = number
        guard self.description == text else { return nil }
    }

    package var description: String {
        let digits = String(self.number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
