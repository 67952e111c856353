internal import Configuration
internal import System

/// Formats records as lines: JSON for programs, text for a terminal.
///
/// Every session writes two lines, so they are made of bytes. Appending to a `String` scalar by scalar takes ten times as long.
enum LogFormatter: Sendable {
    case json
    case text

    /// The line in UTF-8, without a newline.
    ///
    /// - Parameter time: the time in RFC 3339 format.
    func line(_ record: LogRecord, time: String) -> [UInt8] {
        var line = Line()
        switch self {
        case .json: line.appendJSON(record, time: time)
        case .text: line.appendText(record, time: time)
        }
        return line.bytes
    }

    /// An event as a JSON object: its name for listeners, the time, and the fields of its record.
    static func event(_ name: String, _ record: LogRecord, time: String) -> [UInt8] {
        var line = Line()
        line.appendEvent(name, record, time: time)
        return line.bytes
    }
}

/// A line in the making.
private struct Line {
    private(set) var bytes: [UInt8] = []

    init() { self.bytes.reserveCapacity(512) }

    mutating func appendJSON(_ record: LogRecord, time: String) {
        self.append("{\"time\":\"")
        self.append(time)
        self.append("\",\"level\":\"")
        self.append(record.level.rawValue)
        self.append("\",\"event\":")
        self.bytes.append(quoted: record.event)
        self.appendFields(of: record)
    }

    mutating func appendEvent(_ name: String, _ record: LogRecord, time: String) {
        self.append("{\"event\":\"")
        self.append(name)
        self.append("\",\"at\":\"")
        self.append(time)
        self.append("\"")
        self.appendFields(of: record)
    }

    private mutating func appendFields(of record: LogRecord) {
        for (key, value) in record.fields {
            self.append(",")
            self.bytes.append(quoted: key)
            self.append(":")
            if case .text(let text) = value { self.bytes.append(quoted: text) } else { self.appendBare(value) }
        }
        self.append("}")
    }

    mutating func appendText(_ record: LogRecord, time: String) {
        self.append(time)
        self.append(" ")
        self.append(record.level.rawValue)
        self.append(" ")
        self.append(record.event)
        for (key, value) in record.fields {
            self.append(" ")
            self.append(key)
            self.append("=")
            self.appendBare(value)
        }
    }

    private mutating func append(_ text: String) { self.bytes.append(text.utf8.span) }

    private mutating func appendBare(_ value: LogRecord.Value) {
        switch value {
        case .text(let text): self.appendWord(text)
        case .integer(let number): self.append(String(number))
        case .seconds(let number): self.append(Self.rounded(number))
        case .boolean(let flag): self.append(flag ? "true" : "false")
        }
    }

    /// Appends one plain word as it is, and any other text in quotes, so that a peer cannot forge fields or lines.
    private mutating func appendWord(_ text: String) {
        let isPlain = !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") }
        if isPlain { self.append(text) } else { self.bytes.append(quoted: text) }
    }

    /// Seconds with six decimals.
    private static func rounded(_ seconds: Double) -> String {
        let micros = Int64((seconds * 1e6).rounded())
        let fraction = String(micros % 1_000_000)
        return "\(micros / 1_000_000)." + String(repeating: "0", count: 6 - fraction.utf8.count) + fraction
    }
}
