internal import HTTP1

extension RequestTarget {
    /// The values of the query's parameters of that name, in their order, decoded as a form is (`%20` and `+` are spaces).
    ///
    /// - Parameter name: decoded. Case counts.
    func parameters(_ name: String) -> [String] {
        guard let query = self.query else { return [] }
        return query.utf8.split(separator: UInt8(ascii: "&")).compactMap { parameter in
            let end = parameter.firstIndex(of: UInt8(ascii: "=")) ?? parameter.endIndex
            guard Self.decoded(parameter[..<end]).elementsEqual(name.utf8) else { return nil }
            return String(decoding: Self.decoded(parameter[end...].dropFirst()), as: UTF8.self)
        }
    }

    /// Part of a path, decoded: a `+` stands for itself.
    static func decodedPath(_ text: Substring) -> String {
        let pieces = text.utf8.split(separator: UInt8(ascii: "+"), omittingEmptySubsequences: false)
        let decoded = pieces.map { self.decoded(Substring($0).utf8) }.joined(separator: [UInt8(ascii: "+")])
        return String(decoding: Array(decoded), as: UTF8.self)
    }

    /// A `%` without two hexadecimal digits stands for itself.
    private static func decoded(_ text: Substring.UTF8View) -> [UInt8] {
        var decoded: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): decoded.append(.space)
            case UInt8(ascii: "%"):
                let digits = rest.prefix(2).compactMap(\.hexadecimalValue)
                guard digits.count == 2 else {
                    decoded.append(byte)
                    continue
                }
                decoded.append(digits[0] << 4 | digits[1])
                rest = rest.dropFirst(2)
            default: decoded.append(byte)
            }
        }
        return decoded
    }
}
