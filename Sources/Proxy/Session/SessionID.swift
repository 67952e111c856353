/// Names a session everywhere: in the log, in `X-Request-Id`, at the admin address. 64 random bits, as 16 hexadecimal digits.
package struct SessionID: Hashable, Sendable, CustomStringConvertible {
    let number: UInt64

    static func random() -> SessionID { SessionID(number: .random(in: .min ... .max)) }

    package var description: String {
        let digits = stride(from: 60, through: 0, by: -4).map { shift in
            let digit = UInt8(truncatingIfNeeded: self.number >> UInt64(shift) & 0xF)
            return digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
        }
        return String(decoding: digits, as: UTF8.self)
    }
}
