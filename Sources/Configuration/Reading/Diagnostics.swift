/// Collects the mistakes of one file while it is read.
final class Diagnostics {
    let file: String
    private let lines: [String]
    private var collected: [Diagnostic] = []

    init(file: String, text: String) {
        self.file = file
        self.lines = Self.lines(of: text)
    }

    var isEmpty: Bool { self.collected.isEmpty }

    /// What was reported, in the order of the file; of one place, in the order of the reports.
    var inOrder: [Diagnostic] {
        let start = SourcePosition(line: 0, column: 0)
        return self.collected.enumerated()
            .sorted { ($0.element.position ?? start, $0.offset) < ($1.element.position ?? start, $1.offset) }
            .map(\.element)
    }

    /// - Parameter position: `nil` where the place is not known.
    func report(_ position: SourcePosition?, _ message: String) {
        let line = position.flatMap { self.line($0.line) }
        self.collected.append(Diagnostic(file: self.file, position: position, message: message, sourceLine: line))
    }

    /// A line of the file, counted from 1.
    func line(_ number: Int) -> String? {
        self.lines.indices.contains(number - 1) ? self.lines[number - 1] : nil
    }

    /// Splits as YAML 1.1 does, so that our line numbers are the parser's: CR LF, CR, LF, NEL, LS and PS end a line.
    private static func lines(of text: String) -> [String] {
        var lines: [String] = []
        var current = String.UnicodeScalarView()
        var previous: Unicode.Scalar = " "
        for scalar in text.unicodeScalars {
            defer { previous = scalar }
            switch scalar {
            case "\n" where previous == "\r":
                continue
            case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}":
                lines.append(String(current))
                current = String.UnicodeScalarView()
            default:
                current.append(scalar)
            }
        }
        lines.append(String(current))
        return lines
    }
}
