/// One mistake in a configuration, or one warning, with its place.
public struct Diagnostic: Equatable, Sendable, CustomStringConvertible {
    /// The path, as it was given.
    var file: String
    /// `nil` where the whole file is meant, because it is missing or cannot be read.
    public var position: Position?
    /// What is wrong, and the cure where there is one; one line.
    public var message: String
    /// The line of the file, without its end.
    var sourceLine: String?

    /// Without a position the whole file is meant.
    public init(file: String, position: Position? = nil, message: String, sourceLine: String? = nil) {
        self.file = file
        self.position = position
        self.message = message
        self.sourceLine = sourceLine
    }

    /// `FILE:LINE:COLUMN: message`, or `FILE: message` without a place.
    public var description: String {
        guard let position = self.position else { return "\(self.file): \(self.message)" }
        return "\(self.file):\(position.line):\(position.column): \(self.message)"
    }

    /// The description, and below it the line with a caret under the place.
    public var rendered: String {
        guard let position = self.position, let sourceLine = self.sourceLine,
            sourceLine.contains(where: { !$0.isWhitespace })
        else { return self.description }
        // Tabs stay tabs, so that a terminal shows the caret under the character.
        let indent = sourceLine.unicodeScalars.prefix(position.column - 1).map { $0 == "\t" ? "\t" : " " }.joined()
        return "\(self.description)\n    \(sourceLine)\n    \(indent)^"
    }
}

extension Diagnostic {
    /// A place in a file, counted from 1; columns count Unicode scalars.
    public struct Position: Hashable, Comparable, Sendable {
        /// 1 is the first line.
        public var line: Int
        /// 1 is the first Unicode scalar of the line.
        public var column: Int

        /// Both count from 1.
        public init(line: Int, column: Int) {
            self.line = line
            self.column = column
        }

        /// What comes first in the file is less.
        public static func < (left: Self, right: Self) -> Bool {
            (left.line, left.column) < (right.line, right.column)
        }
    }
}
