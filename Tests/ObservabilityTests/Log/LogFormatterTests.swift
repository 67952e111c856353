import Configuration
import Foundation
import Testing

@testable import Observability

@Suite struct LogFormatterTests {
    private static let time = "2026-03-01T12:00:00.000Z"

    /// Texts with which a peer could forge lines or fields, or break a parser.
    static let hostile = [
        "", " ", "plain", "a\"b", "back\\slash", "line\nfeed", "carriage\r\nreturn", "tab\t", "nul\0", "\u{1B}[31mred",
        "\",\"event\":\"forged", "event=forged", "x session=1", "\u{7F}\u{80}\u{9F}", "\u{2028}\u{2029}", "é€😀",
        "e\u{301}",
        "\u{FFFF}", "\u{10FFFF}", "}", "\u{202E}evil", (0..<32).map { String(UnicodeScalar($0 as UInt8)) }.joined(),
    ]

    private func line(_ formatter: LogFormatter, _ record: LogRecord) -> String {
        String(decoding: formatter.line(record, time: Self.time), as: UTF8.self)
    }

    private func record(_ text: String) -> LogRecord {
        var record = LogRecord(.warning, "test")
        record.add("text", text)
        record.add("absent", nil)
        record.add("number", 42)
        record.add("huge", UInt64.max)
        record.add("duration", seconds: 1.0000005)
        record.add("flag", true)
        return record
    }

    @Test(arguments: hostile) func `a JSON line is one valid object`(text: String) throws {
        let line = self.line(.json, self.record(text))
        #expect(!line.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) })
        let object = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect((object["text"] as? String).map { Array($0.unicodeScalars) } == Array(text.unicodeScalars))
        #expect(object["time"] as? String == Self.time)
        #expect(object["level"] as? String == "warning")
        #expect(object["event"] as? String == "test")
        #expect(object["number"] as? Int == 42)
        #expect(object["huge"] as? Int64 == .max)
        #expect(object["duration"] as? Double == 1.000001)
        #expect(object["flag"] as? Bool == true)
        #expect(object.count == 8)
    }

    @Test(arguments: hostile) func `keys and events are quoted too`(text: String) throws {
        var record = LogRecord(.info, text)
        record.add("k" + text, "value")
        let line = self.line(.json, record)
        let object = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["event"] != nil)
        #expect(object.count == 4)
    }

    @Test(arguments: hostile) func `a text record is one line and each value one word`(text: String) {
        let line = self.line(.text, self.record(text))
        #expect(!line.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) })
        let prefix = "\(Self.time) warning test text="
        #expect(line.hasPrefix(prefix))
        #expect(line.hasSuffix(" number=42 huge=9223372036854775807 duration=1.000001 flag=true"))
        let value = line.unicodeScalars.dropFirst(prefix.unicodeScalars.count)
        guard value.first == "\"" else {
            #expect(value.starts(with: text.unicodeScalars))
            return
        }
        // The first unescaped quote ends the value, and a space follows.
        var isEscaped = false
        let end = value.dropFirst().firstIndex { scalar in
            defer { isEscaped = !isEscaped && scalar == "\\" }
            return scalar == "\"" && !isEscaped
        }
        #expect(end.map { String(value[value.index(after: $0)...]).hasPrefix(" number=42 ") } == true)
    }

    @Test(arguments: [
        (0, "0.000000"), (0.0000004, "0.000000"), (0.000001, "0.000001"), (59.9999999, "60.000000"),
        (86_400.5, "86400.500000"),
    ])
    func `seconds have microseconds`(seconds: Double, text: String) {
        var record = LogRecord(.debug, "x")
        record.add("s", seconds: seconds)
        #expect(self.line(.text, record) == "\(Self.time) debug x s=\(text)")
    }

    @Test func `levels are ordered`() {
        let severities = [LogLevel.debug, .info, .warning, .error].map(\.severity)
        #expect(severities == severities.sorted())
        #expect(Set(severities).count == 4)
    }
}
