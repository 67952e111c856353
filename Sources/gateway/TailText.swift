internal import Configuration

/// The frames of a tail as text for people. Nothing that a peer sent reaches the terminal as it came.
struct TailText {
    /// The most bytes of a binary payload in a line.
    private static let mostInLine = 32

    /// A dump is below each line.
    let dumps: Bool
    /// Each line names its session.
    let namesSession: Bool
    /// The time of the line before, in microseconds of its day.
    private var last: Int?

    init(dumps: Bool, namesSession: Bool) {
        self.dumps = dumps
        self.namesSession = namesSession
    }

    /// The text of a line, with its end.
    mutating func text(of line: TailLine) -> String {
        if let skipped = line.skipped {
            return "-- \(skipped) frame\(skipped == 1 ? "" : "s") left out: they came faster than they were taken\n"
        }
        var parts = [self.time(line.at ?? "")]
        if self.namesSession { parts.append((line.session ?? "-").printable) }
        // A star: the gateway made it itself.
        let shaft = line.by == "gateway" ? "*" : "-"
        parts.append(line.direction == "to-client" ? "<\(shaft)" : "\(shaft)>")
        // An ellipsis: the message goes on.
        let opcode = (line.opcode ?? "-").printable + (line.fin == false ? "…" : "")
        parts.append(opcode + String(repeating: " ", count: max(0, 13 - opcode.count)))
        let size = "\(line.size ?? 0)"
        parts.append(String(repeating: " ", count: max(0, 6 - size.count)) + size)
        if line.compressed == true { parts.append("compressed") }
        if let code = line.code {
            parts.append("\(code)")
            parts.append((line.reason ?? "").printable)
        } else if !self.dumps {
            parts.append(line.text?.printable ?? self.start(of: line.payload))
        }
        if line.cut == true { parts.append("[cut]") }
        let dump = self.dumps && line.code == nil ? Self.dump(line.payload) : ""
        return parts.joined(separator: "  ").trimmed + "\n" + dump
    }

    // MARK: - Time

    /// The time of day and how long it is since the line before.
    private mutating func time(_ at: String) -> String {
        // 2026-03-01T12:00:00.000000Z
        let parts = at.split(whereSeparator: { "T:.Z".contains($0) }).dropFirst().compactMap { Int($0) }
        let isTime =
            at.utf8.count == 27 && at.utf8.allSatisfy { (0x30...0x39).contains($0) || "-:.TZ".utf8.contains($0) }
        guard isTime, parts.count == 4 else { return at.printable }
        let now = ((parts[0] * 60 + parts[1]) * 60 + parts[2]) * 1_000_000 + parts[3]
        var since = now - (self.last ?? now)
        // Frames of several workers may be told a little out of order; half a day is a new day.
        if since < -43_200_000_000 { since += 86_400_000_000 }
        self.last = now
        let micros = String(1_000_000 + since.magnitude % 1_000_000).dropFirst()
        let text = "\(since < 0 ? "-" : "+")\(since.magnitude / 1_000_000).\(micros)"
        return at.dropFirst(11).dropLast() + String(repeating: " ", count: max(1, 13 - text.count)) + text
    }

    // MARK: - Bytes

    private func start(of payload: [UInt8]) -> String {
        let shown = payload.prefix(Self.mostInLine).map(Self.hex).joined(separator: " ")
        return payload.count > Self.mostInLine ? shown + " …" : shown
    }

    /// Sixteen bytes in a row: their offset, their digits, and what is ASCII of them.
    static func dump(_ payload: [UInt8]) -> String {
        stride(from: 0, to: payload.count, by: 16).map { start in
            let row = payload[start..<min(start + 16, payload.count)]
            let offset = String(start, radix: 16)
            let digits = row.map(self.hex).joined(separator: " ")
            let ascii = row.map { (0x20...0x7E).contains($0) ? String(UnicodeScalar($0)) : "." }.joined()
            return "    " + String(repeating: "0", count: max(0, 6 - offset.count)) + offset + "  " + digits
                + String(repeating: " ", count: 47 - digits.count) + "  |" + ascii + "|\n"
        }.joined()
    }

    private static func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
}
