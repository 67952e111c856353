/// A place in a file, counted from 1; columns count Unicode scalars.
package struct SourcePosition: Hashable, Comparable, Sendable {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// One mistake in a configuration, or one warning, with its place.
package struct Diagnostic: Equatable, Sendable, CustomStringConvertible {
    package var file: String
    /// `nil` where the whole file is meant, because it is missing or cannot be read.
    package var position: SourcePosition?
    package var message: String
    /// The line of the file, without its end.
    package var sourceLine: String?

    package init(file: String, position: SourcePosition? = nil, message: String, sourceLine: String? = nil) {
        self.file = file
        self.position = position
        self.message = message
        self.sourceLine = sourceLine
    }

    /// `FILE:LINE:COLUMN: message`, or `FILE: message` without a place.
    package var description: String {
        guard let position = self.position else { return "\(self.file): \(self.message)" }
        return "\(self.file):\(position.line):\(position.column): \(self.message)"
    }

    /// The description, and below it the line with a caret under the place.
    package var rendered: String {
        guard let position = self.position, let sourceLine = self.sourceLine,
            sourceLine.contains(where: { !$0.isWhitespace })
        else { return self.description }
        // Tabs stay tabs, so that a terminal shows the caret under the character.
        let indent = sourceLine.unicodeScalars.prefix(position.column - 1).map { $0 == "\t" ? "\t" : " " }.joined()
        return "\(self.description)\n    \(sourceLine)\n    \(indent)^"
    }
}

/// Everything that is wrong with a configuration, in the order of the file. Never empty.
package struct ConfigurationErrors: Error, Equatable, CustomStringConvertible {
    package var diagnostics: [Diagnostic]

    package init(diagnostics: [Diagnostic]) {
        self.diagnostics = diagnostics
    }

    /// Each mistake with its line and caret.
    package var description: String {
        self.diagnostics.map(\.rendered).joined(separator: "\n")
    }
}
