/// Names a session everywhere: in the log, in `X-Request-Id`, at the admin address. 64 random bits, as 16 hexadecimal digits.
package struct SessionID: Hashable, Sendable, CustomStringConvertible {
    let number: UInt64

    static func random() -> SessionID { SessionID(number: Randomness.word()) }

    package var description: String {
        let digits = [UInt8](capacity: 16) { digits in
            var rest = self.number
            for _ in 0..<16 {
                let digit = UInt8(truncatingIfNeeded: rest >> 60)
                digits.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
                rest <<= 4
            }
        }
        return String(decoding: digits, as: UTF8.self)
    }
}
