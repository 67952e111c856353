internal import HTTP1

extension RequestTarget {
    /// The values of the query's parameters of that name, in their order, decoded.
    ///
    /// - Parameter name: decoded. Case counts.
    func parameters(_ name: String) -> [String] { self.query.map { QueryParameters($0).values(name) } ?? [] }

    /// Part of the path of a request, percent-decoded once. A `+` stands for itself.
    static func decodedPath(_ text: Substring) -> String { String(decoding: self.decoded(text), as: UTF8.self) }

    /// The same as bytes, which need not be UTF-8.
    static func decoded(_ text: Substring) -> [UInt8] {
        var decoded: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            // A request with a broken encoding has no target.
            let digits = byte == UInt8(ascii: "%") ? rest.prefix(2).compactMap(\.hexadecimalValue) : []
            decoded.append(digits.count == 2 ? digits[0] << 4 | digits[1] : byte)
            if digits.count == 2 { rest = rest.dropFirst(2) }
        }
        return decoded
    }
}
