/// The parameters of a URL's query, as forms write them: `name=value`, between `&`.
public struct QueryParameters {
    private let pieces: [Substring.UTF8View]

    /// - Parameter query: what follows the `?`.
    public init(_ query: String) {
        self.pieces = query.utf8.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false)
    }

    /// The names of all parameters, decoded.
    public var names: [String] {
        self.pieces.filter { !$0.isEmpty }.map { piece in
            String(decoding: Self.decoded(piece.prefix { $0 != UInt8(ascii: "=") }), as: UTF8.self)
        }
    }

    /// The values of the parameters of that name, in their order, decoded as a form is (`%20` and `+` are spaces).
    ///
    /// - Parameter name: decoded. Case counts.
    public func values(_ name: String) -> [String] {
        self.pieces.filter { Self.isNamed(name, $0) }.map { piece in
            let end = piece.firstIndex(of: UInt8(ascii: "=")) ?? piece.endIndex
            return String(decoding: Self.decoded(piece[end...].dropFirst()), as: UTF8.self)
        }
    }

    /// The query without the parameters of that name. What is left is as it was.
    ///
    /// - Parameter name: decoded. Case counts.
    public func removing(_ name: String) -> String {
        self.pieces.filter { !Self.isNamed(name, $0) }.map { String(Substring($0)) }.joined(separator: "&")
    }

    private static func isNamed(_ name: String, _ piece: Substring.UTF8View) -> Bool {
        !piece.isEmpty && self.decoded(piece.prefix { $0 != UInt8(ascii: "=") }).elementsEqual(name.utf8)
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
