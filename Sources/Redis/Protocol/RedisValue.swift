/// What a server says: one value of RESP2 or RESP3.
///
/// Types that the gateway has no use for are told as what they are nearest to: simple strings, doubles, big numbers and verbatim strings as
/// bytes, booleans as 0 and 1, sets and maps as lists.
public enum RedisValue: Equatable, Sendable {
    /// Nothing: a null of RESP3, or the null string and the null array of RESP2.
    case null
    /// A whole number.
    case integer(Int64)
    /// Any bytes.
    case bytes([UInt8])
    /// A command was refused: what the server says, which begins with a word in capitals.
    case error([UInt8])
    /// An array, a set, or a map as key, value, key, value.
    case list([RedisValue])
    /// Something that no command asked for, such as a message (RESP3). Its first element says what it is.
    case push([RedisValue])
}

extension RedisValue {
    /// The bytes; `nil` if it is something else.
    var bytes: [UInt8]? { if case .bytes(let bytes) = self { bytes } else { nil } }
    /// The number; `nil` if it is something else.
    var integer: Int64? { if case .integer(let number) = self { number } else { nil } }
    /// The elements; `nil` if it is no list.
    var list: [RedisValue]? { if case .list(let values) = self { values } else { nil } }
    /// The bytes as text; `nil` if it is something else, or not UTF-8.
    var text: String? { self.bytes.flatMap { String(validating: $0, as: UTF8.self) } }
}
