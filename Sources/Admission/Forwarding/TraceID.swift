public import HTTP1

/// The trace that a request belongs to, as its field `traceparent` says (W3C Trace Context, section 3.2). The field itself passes unchanged.
public struct TraceID: Equatable, Sendable, CustomStringConvertible {
    private let high: UInt64
    private let low: UInt64

    /// That of a request; `nil` if it has no such field, more than one, or one that breaks the grammar.
    public init?(of request: HTTPFields) {
        guard case .once(let text) = request.only("traceparent") else { return nil }
        self.init(traceparent: text)
    }

    /// Reads `VERSION-TRACE-PARENT-FLAGS`, in lower case. A version that is not known may have more behind that.
    init?(traceparent text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 55, [2, 35, 52].allSatisfy({ bytes[$0] == UInt8(ascii: "-") }),
            let version = Self.number(bytes[0..<2]), version != 0xFF,
            bytes.count == 55 || version > 0 && bytes[55] == UInt8(ascii: "-"),
            let high = Self.number(bytes[3..<19]), let low = Self.number(bytes[19..<35]), high | low != 0,
            let parent = Self.number(bytes[36..<52]), parent != 0, Self.number(bytes[53..<55]) != nil
        else { return nil }
        (self.high, self.low) = (high, low)
    }

    /// At most 16 hexadecimal digits, in lower case.
    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var number: UInt64 = 0
        for byte in digits {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number << 4 | UInt64(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): number = number << 4 | UInt64(byte - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return number
    }

    /// 32 lowercase hexadecimal digits.
    public var description: String {
        [self.high, self.low].map { half in
            let digits = String(half, radix: 16)
            return String(repeating: "0", count: 16 - digits.utf8.count) + digits
        }.joined()
    }
}
