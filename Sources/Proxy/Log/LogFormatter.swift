internal import Configuration

/// Writes records as lines: JSON for machines, text for a terminal.
enum LogFormatter: Sendable {
    case json
    case text

    /// The line without its newline.
    ///
    /// - Parameter time: RFC 3339.
    func line(_ record: LogRecord, time: String) -> String {
        switch self {
        case .json: Self.json(record, time: time)
        case .text: Self.text(record, time: time)
        }
    }

    private static func json(_ record: LogRecord, time: String) -> String {
        var line = "{\"time\":\"\(time)\",\"level\":\"\(record.level.rawValue)\",\"event\":"
        self.appendQuoted(record.event, to: &line)
        for (key, value) in record.fields {
            line += ","
            self.appendQuoted(key, to: &line)
            line += ":"
            switch value {
            case .text(let text): self.appendQuoted(text, to: &line)
            case .integer(let number): line += String(number)
            case .seconds(let number): line += self.rounded(number)
            case .boolean(let flag): line += flag ? "true" : "false"
            }
        }
        return line + "}"
    }

    private static func text(_ record: LogRecord, time: String) -> String {
        var line = "\(time) \(record.level.rawValue) \(record.event)"
        for (key, value) in record.fields {
            line += " \(key)="
            switch value {
            case .text(let text): self.appendWord(text, to: &line)
            case .integer(let number): line += String(number)
            case .seconds(let number): line += self.rounded(number)
            case .boolean(let flag): line += flag ? "true" : "false"
            }
        }
        return line
    }

    /// Text as it is where it is one plain word, else quoted: what a peer sent can't make up fields or lines.
    private static func appendWord(_ text: String, to line: inout String) {
        let isPlain = !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") }
        if isPlain { line += text } else { self.appendQuoted(text, to: &line) }
    }

    /// A JSON string (RFC 8259 section 7).
    private static func appendQuoted(_ text: String, to line: inout String) {
        line += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": line += "\\\""
            case "\\": line += "\\\\"
            case "\n": line += "\\n"
            case "\r": line += "\\r"
            case "\t": line += "\\t"
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
                let digits = String(scalar.value, radix: 16)
                line += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: line.unicodeScalars.append(scalar)
            }
        }
        line += "\""
    }

    /// Seconds with microseconds.
    private static func rounded(_ seconds: Double) -> String {
        let micros = Int64((seconds * 1e6).rounded())
        let fraction = String(micros % 1_000_000)
        return "\(micros / 1_000_000)." + String(repeating: "0", count: 6 - fraction.count) + fraction
    }
}
