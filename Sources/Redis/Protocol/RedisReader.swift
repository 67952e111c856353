internal import HTTP1

/// Reads what a server sends: RESP2 and RESP3. The values are the same however the bytes were cut.
///
/// Everything is bounded by its limits before there is memory for it, and what is wrong is an error. It has no use for a connection after
/// an error: it cannot know where the next value begins.
public struct RedisReader {
    /// A list with elements that are still to come.
    private struct Open {
        enum Kind {
            case list
            case push
            /// What a server says of the value that follows: it is not wanted.
            case attribute
        }

        let kind: Kind
        var missing: Int
        var values: [RedisValue] = []
    }

    /// What the next bytes are.
    private enum State {
        case line
        /// - Parameter count: how many bytes a string has, without the CR and LF behind it.
        case string(Wrapping, count: Int)
    }

    private enum Wrapping {
        case bytes
        case error
        /// The first four bytes say what kind of text it is.
        case verbatim
    }

    private let limits: RedisLimits
    private var state = State.line
    private var open: [Open] = []
    /// What came and was not read yet begins at `start`.
    private var buffer: [UInt8] = []
    private var start = 0
    /// Up to here there is no LF.
    private var searched = 0
    /// What was read of the current reply.
    private var size = 0
    private var values = 0

    /// - Parameter limits: what the server may send at most.
    public init(_ limits: RedisLimits = RedisLimits()) { self.limits = limits }

    /// Takes the bytes that follow those of the last call. `next` has the values.
    public mutating func append(_ bytes: Span<UInt8>) {
        if self.start > 0 {
            self.buffer.removeFirst(self.start)
            self.searched -= self.start
            self.start = 0
        }
        self.buffer.append(contentsOf: bytes)
    }

    /// - Returns: the next value; `nil`: it is not whole yet.
    public mutating func next() throws(RedisViolation) -> RedisValue? {
        while true {
            let step =
                switch self.state {
                case .line: try self.readLine()
                case .string(let wrapping, let count): try self.readString(wrapping, count)
                }
            switch step {
            case .more: return nil
            case .opened: break
            case .value(let value): if let whole = try self.add(value) { return whole }
            }
        }
    }

    private enum Step {
        case more
        case value(RedisValue)
        /// A string or a list has begun, or what was read is not wanted.
        case opened
    }

    // MARK: - Lines

    private mutating func readLine() throws(RedisViolation) -> Step {
        let end = self.lineEnd()
        guard (end ?? self.buffer.count) - self.start <= RedisLimits.line else {
            throw RedisViolation("a line of more than \(RedisLimits.line) bytes")
        }
        guard let end else { return .more }
        let line = self.buffer[self.start..<end]
        guard line.last == UInt8(ascii: "\r") else { throw RedisViolation("a line without a CR") }
        try self.take(line.count + 1)
        guard let type = line.first, line.count > 1 else { throw RedisViolation("an empty line") }
        let text = line.dropFirst().dropLast()
        guard !text.contains(UInt8(ascii: "\r")) else { throw RedisViolation("a line with a CR in it") }
        self.values += 1
        guard self.values <= self.limits.values else {
            throw RedisViolation("a reply of more than \(self.limits.values) values")
        }
        return try self.begin(type, text)
    }

    /// Where the LF of the next line is; `nil`: not here yet.
    private mutating func lineEnd() -> Int? {
        var index = max(self.searched, self.start)
        while index < self.buffer.count, self.buffer[index] != UInt8(ascii: "\n") { index += 1 }
        self.searched = index
        return index < self.buffer.count ? index : nil
    }

    private mutating func begin(_ type: UInt8, _ text: ArraySlice<UInt8>) throws(RedisViolation) -> Step {
        switch Character(UnicodeScalar(type)) {
        case "+", ",", "(": return .value(.bytes(Array(text)))
        case "-": return .value(.error(Array(text)))
        case ":": return .value(.integer(try Self.number(text)))
        case "#":
            guard text.count == 1, let sign = text.first, "tf".utf8.contains(sign) else {
                throw RedisViolation("a boolean that is neither true nor false")
            }
            return .value(.integer(sign == UInt8(ascii: "t") ? 1 : 0))
        case "_":
            guard text.isEmpty else { throw RedisViolation("a null with something in it") }
            return .value(.null)
        case "$": return try self.beginString(.bytes, text)
        case "!": return try self.beginString(.error, text)
        case "=": return try self.beginString(.verbatim, text)
        case "*", "~": return try self.beginList(.list, text, each: 1)
        case "%": return try self.beginList(.list, text, each: 2)
        case "|": return try self.beginList(.attribute, text, each: 2)
        case ">":
            guard self.open.isEmpty else { throw RedisViolation("a push inside another value") }
            return try self.beginList(.push, text, each: 1)
        default: throw RedisViolation("a value of an unknown type (byte \(type))")
        }
    }

    /// Digits, with a sign or without.
    private static func number(_ text: ArraySlice<UInt8>) throws(RedisViolation) -> Int64 {
        let isNegative = text.first == UInt8(ascii: "-")
        let digits = text.first.map { "+-".utf8.contains($0) } == true ? text.dropFirst() : text
        guard (1...19).contains(digits.count), digits.allSatisfy(\.isDigit) else {
            throw RedisViolation("a number that is none")
        }
        var number: Int64 = 0
        for digit in digits {
            let value = Int64(digit - UInt8(ascii: "0"))
            let (tens, hasOverflown) = number.multipliedReportingOverflow(by: 10)
            // From zero down, because the least number has no positive one.
            let (next, isOver) =
                isNegative ? tens.subtractingReportingOverflow(value) : tens.addingReportingOverflow(value)
            guard !hasOverflown, !isOver else { throw RedisViolation("a number that is too large") }
            number = next
        }
        return number
    }

    /// A length or a count; `nil` for the null of RESP2, -1.
    private static func count(_ text: ArraySlice<UInt8>) throws(RedisViolation) -> Int? {
        let number = try self.number(text)
        guard number >= -1 else { throw RedisViolation("a negative length") }
        return number == -1 ? nil : Int(number)
    }

    // MARK: - Strings

    private mutating func beginString(_ wrapping: Wrapping, _ text: ArraySlice<UInt8>) throws(RedisViolation) -> Step {
        guard let count = try Self.count(text) else {
            guard case .bytes = wrapping else { throw RedisViolation("a negative length") }
            return .value(.null)
        }
        guard count <= self.limits.string else {
            throw RedisViolation("a string of \(count) bytes, more than \(self.limits.string)")
        }
        self.state = .string(wrapping, count: count)
        return .opened
    }

    private mutating func readString(_ wrapping: Wrapping, _ count: Int) throws(RedisViolation) -> Step {
        // `count` is at most the limit: the sum cannot overflow.
        guard self.buffer.count - self.start >= count + 2 else { return .more }
        let end = self.start + count
        guard self.buffer[end] == UInt8(ascii: "\r"), self.buffer[end + 1] == UInt8(ascii: "\n") else {
            throw RedisViolation("a string that is longer than its length")
        }
        let bytes = self.buffer[self.start..<end]
        try self.take(count + 2)
        self.state = .line
        switch wrapping {
        case .bytes: return .value(.bytes(Array(bytes)))
        case .error: return .value(.error(Array(bytes)))
        case .verbatim:
            guard bytes.count >= 4, bytes[bytes.startIndex + 3] == UInt8(ascii: ":") else {
                throw RedisViolation("a text without its kind")
            }
            return .value(.bytes(Array(bytes.dropFirst(4))))
        }
    }

    private mutating func take(_ count: Int) throws(RedisViolation) {
        self.start += count
        self.size += count
        guard self.size <= self.limits.reply else {
            throw RedisViolation("a reply of more than \(self.limits.reply) bytes")
        }
    }

    // MARK: - Lists

    private mutating func beginList(
        _ kind: Open.Kind, _ text: ArraySlice<UInt8>, each: Int
    ) throws(RedisViolation) -> Step {
        guard let count = try Self.count(text) else {
            guard case .list = kind, each == 1 else { throw RedisViolation("a negative length") }
            return .value(.null)
        }
        guard count <= self.limits.values / each else {
            throw RedisViolation("a list of \(count) values, more than \(self.limits.values / each)")
        }
        guard self.open.count < self.limits.depth else {
            throw RedisViolation("lists in one another, more than \(self.limits.depth) deep")
        }
        guard count > 0 else {
            switch kind {
            case .list: return .value(.list([]))
            case .attribute: return .opened
            case .push: throw RedisViolation("an empty push")
            }
        }
        self.open.append(Open(kind: kind, missing: count * each))
        return .opened
    }

    /// Puts a value where it belongs.
    ///
    /// - Returns: the reply, if that is whole now.
    private mutating func add(_ value: RedisValue) throws(RedisViolation) -> RedisValue? {
        var value = value
        while !self.open.isEmpty {
            let last = self.open.count - 1
            self.open[last].values.append(value)
            self.open[last].missing -= 1
            guard self.open[last].missing == 0 else { return nil }
            let whole = self.open.removeLast()
            switch whole.kind {
            case .list: value = .list(whole.values)
            case .push: value = .push(whole.values)
            case .attribute: return nil
            }
        }
        self.size = 0
        self.values = 0
        return value
    }
}
