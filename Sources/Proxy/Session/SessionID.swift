/// Names a session everywhere: in the log, in `X-Request-Id`, at the admin address. 64 random bits, as 16 hexadecimal digits.
package struct SessionID: Hashable, Sendable, CustomStringConvertible {
    let number: UInt64

    static func random() -> SessionID { SessionID(number: .random(in: .min ... .max)) }

    package var description: String {
        let digits = String(self.number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
