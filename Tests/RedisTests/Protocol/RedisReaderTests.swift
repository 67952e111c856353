import Testing

@testable import Redis

/// Each reply comes whole, byte by byte, and split at every place.
@Suite struct RedisReaderTests {
    private static func read(
        _ bytes: [UInt8], cuts: [Int], _ limits: RedisLimits = RedisLimits()
    ) -> (values: [RedisValue], violation: String?) {
        var reader = RedisReader(limits)
        var values: [RedisValue] = []
        var start = 0
        do throws(RedisViolation) {
            for end in cuts + [bytes.count] {
                reader.append(bytes.span.extracting(start..<end))
                start = end
                while let value = try reader.next() { values.append(value) }
            }
        } catch {
            return (values, error.description)
        }
        return (values, nil)
    }

    private static func expect(
        _ text: String, gives expected: [RedisValue], violation: String? = nil, _ limits: RedisLimits = RedisLimits(),
        _ location: SourceLocation = #_sourceLocation
    ) {
        let bytes = Array(text.utf8)
        let cuts = (0...bytes.count).map { [$0] } + [Array(0...bytes.count)]
        for cut in cuts {
            let result = self.read(bytes, cuts: cut, limits)
            #expect(result.values == expected, "cut at \(cut)", sourceLocation: location)
            #expect(result.violation == violation, "cut at \(cut)", sourceLocation: location)
            guard result.values == expected, result.violation == violation else { return }
        }
    }

    @Test func `the types of RESP2 are read`() {
        Self.expect(
            "+OK\r\n-ERR no\r\n:-5\r\n$5\r\na\r\nbc\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n*2\r\n:1\r\n*1\r\n$1\r\nx\r\n",
            gives: [
                .text("OK"), .error(.init("ERR no")), .integer(-5), .text("a\r\nbc"), .text(""), .null, .null,
                .list([]),
                .list([.integer(1), .list([.text("x")])]),
            ])
    }

    @Test func `the types of RESP3 are read`() {
        Self.expect(
            "_\r\n#t\r\n#f\r\n,1.5\r\n(123\r\n!5\r\nERR a\r\n=7\r\ntxt:abc\r\n~1\r\n:1\r\n%1\r\n+a\r\n:2\r\n>2\r\n+message\r\n+b\r\n%0\r\n",
            gives: [
                .null, .integer(1), .integer(0), .text("1.5"), .text("123"), .error(.init("ERR a")), .text("abc"),
                .list([.integer(1)]), .list([.text("a"), .integer(2)]), .push([.text("message"), .text("b")]),
                .list([]),
            ])
    }

    @Test func `attributes are passed over, wherever they are`() {
        Self.expect(
            "|1\r\n+ttl\r\n:9\r\n+OK\r\n*2\r\n|1\r\n+a\r\n*1\r\n:1\r\n:7\r\n:8\r\n|0\r\n:3\r\n",
            gives: [.text("OK"), .list([.integer(7), .integer(8)]), .integer(3)])
    }

    @Test func `the largest numbers are read`() {
        Self.expect(
            ":9223372036854775807\r\n:-9223372036854775808\r\n:+3\r\n",
            gives: [.integer(.max), .integer(.min), .integer(3)])
    }

    @Test(arguments: [
        (":9223372036854775808\r\n", "a number that is too large"),
        (":-9223372036854775809\r\n", "a number that is too large"),
        (":99999999999999999999999\r\n", "a number that is none"),
        (":\r\n", "a number that is none"), (":1 \r\n", "a number that is none"), (":-\r\n", "a number that is none"),
        ("$-2\r\n", "a negative length"), ("*-2\r\n", "a negative length"), ("%-1\r\n", "a negative length"),
        (">-1\r\n", "a negative length"), ("=-1\r\n", "a negative length"), ("!-1\r\n", "a negative length"),
        ("$9223372036854775807\r\n", "a string of 9223372036854775807 bytes, more than 67108864"),
        ("*9223372036854775807\r\n", "a list of 9223372036854775807 values, more than 131072"),
        ("%9223372036854775807\r\n", "a list of 9223372036854775807 values, more than 65536"),
        ("$?\r\n", "a number that is none"), ("*?\r\n", "a number that is none"),
        ("$3\r\nabcd\r\n", "a string that is longer than its length"),
        ("#x\r\n", "a boolean that is neither true nor false"), ("_x\r\n", "a null with something in it"),
        ("=3\r\ntxt\r\n", "a text without its kind"), (">0\r\n", "an empty push"),
        ("*1\r\n>1\r\n", "a push inside another value"), ("+a\n", "a line without a CR"),
        ("+a\rb\r\n", "a line with a CR in it"),
        ("\r\n", "an empty line"), ("HTTP/1.1 400 Bad Request\r\n", "a value of an unknown type (byte 72)"),
        ("SSH-2.0\r\n", "a value of an unknown type (byte 83)"), ("\u{0}\r\n", "a value of an unknown type (byte 0)"),
    ])
    func `what is no reply is an error`(text: String, violation: String) {
        Self.expect("+OK\r\n" + text, gives: [.text("OK")], violation: violation)
    }

    @Test func `depth is bounded`() {
        let deepest = String(repeating: "*1\r\n", count: 8)
        var value = RedisValue.integer(1)
        for _ in 0..<8 { value = .list([value]) }
        Self.expect(deepest + ":1\r\n", gives: [value])
        Self.expect(deepest + "*1\r\n", gives: [], violation: "lists in one another, more than 8 deep")
        Self.expect(deepest + "|1\r\n", gives: [], violation: "lists in one another, more than 8 deep")
    }

    @Test func `lengths, values and lines are bounded`() {
        var limits = RedisLimits(string: 10, reply: 40)
        limits.values = 5
        Self.expect("$10\r\n0123456789\r\n", gives: [.text("0123456789")], limits)
        Self.expect("$11\r\n", gives: [], violation: "a string of 11 bytes, more than 10", limits)
        Self.expect(
            "*2\r\n*2\r\n:1\r\n:2\r\n:3\r\n", gives: [.list([.list([.integer(1), .integer(2)]), .integer(3)])], limits)
        Self.expect("*3\r\n*2\r\n:1\r\n:2\r\n*2\r\n", gives: [], violation: nil, limits)
        Self.expect(
            "*3\r\n*2\r\n:1\r\n:2\r\n*2\r\n:3\r\n", gives: [], violation: "a reply of more than 5 values", limits)
        let ten = "$10\r\n0123456789\r\n"
        Self.expect("*2\r\n\(ten)\(ten)", gives: [.list([.text("0123456789"), .text("0123456789")])], limits)
        Self.expect("*3\r\n\(ten)\(ten)$10\r\n", gives: [], violation: "a reply of more than 40 bytes", limits)
        // Attributes without an end count, too.
        Self.expect(
            String(repeating: "|0\r\n", count: 6), gives: [], violation: "a reply of more than 5 values", limits)
    }

    @Test func `a line has an end`() {
        let longest = "+" + String(repeating: "a", count: RedisLimits.line)
        let result = Self.read(Array(longest.utf8), cuts: [100, 60_000])
        #expect(result.violation == "a line of more than \(RedisLimits.line) bytes")
    }

    @Test func `a command is an array of strings of any bytes`() {
        let command = RedisCommand([Array("SET".utf8), [0, 13, 10, 255], []])
        #expect(
            command.bytes == Array("*3\r\n$3\r\nSET\r\n$4\r\n".utf8) + [0, 13, 10, 255] + Array("\r\n$0\r\n\r\n".utf8))
        #expect(
            Self.read(command.bytes, cuts: []).values == [.list([.text("SET"), .bytes([0, 13, 10, 255]), .bytes([])])])
    }
}
