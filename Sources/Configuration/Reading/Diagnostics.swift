/// Collects the mistakes of one file while it is read.
final class Diagnostics {
    let file: String
    private let lines: [String]
    private var collected: [Diagnostic] = []
    private var collectedWarnings: [Diagnostic] = []

    init(file: String, text: String) {
        self.file = file
        self.lines = Self.lines(of: text)
    }

    var isEmpty: Bool { self.collected.isEmpty }

    /// How many mistakes there are so far.
    var count: Int { self.collected.count }

    /// What was reported, in the order of the file; of one place, in the order of the reports.
    var inOrder: [Diagnostic] { Self.inOrder(self.collected) }

    /// The warnings, in the same order.
    var warnings: [Diagnostic] { Self.inOrder(self.collectedWarnings) }

    private static func inOrder(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
        let start = Diagnostic.Position(line: 0, column: 0)
        return diagnostics.enumerated()
            .sorted { ($0.element.position ?? start, $0.offset) < ($1.element.position ?? start, $1.offset) }
            .map(\.element)
    }

    /// - Parameter position: `nil` where the place is not known.
    func report(_ position: Diagnostic.Position?, _ message: String) {
        self.collected.append(self.diagnostic(position, message))
    }

    /// Reports what is allowed but probably not meant.
    func warn(_ position: Diagnostic.Position?, _ message: String) {
        self.collectedWarnings.append(self.diagnostic(position, message))
    }

    private func diagnostic(_ position: Diagnostic.Position?, _ message: String) -> Diagnostic {
        let line = position.flatMap { self.line($0.line) }
        return Diagnostic(file: self.file, position: position, message: message, sourceLine: line)
    }

    /// A line of the file, counted from 1.
    func line(_ number: Int) -> String? {
        self.lines.indices.contains(number - 1) ? self.lines[number - 1] : nil
    }

    /// Splits as YAML 1.1 does: CR LF, CR, LF, NEL, LS and PS end a line. Line numbers are then the parser's.
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
