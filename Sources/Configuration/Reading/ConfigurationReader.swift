/// Reads `gateway.conf`. The result is a checked, typed value, or every mistake with its place.
public enum ConfigurationReader {
    /// Reads the bytes of a file.
    ///
    /// - Parameters:
    ///   - file: The name of the file, for messages.
    ///   - environment: The variables that `${NAME}` stands for.
    ///   - automaticMemory: How many bytes `memory: auto` is, where that is known.
    /// - Throws: `Failure`, never empty.
    public static func read(
        bytes: [UInt8], file: String, environment: [String: String], automaticMemory: Int? = nil
    ) throws(Failure) -> GatewayConfiguration {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(diagnostics: [Self.encodingMistake(in: bytes, of: file)])
        }
        return try self.read(text: text, file: file, environment: environment, automaticMemory: automaticMemory)
    }

    /// Reads the text of a file.
    ///
    /// - Parameters:
    ///   - file: The name of the file, for messages.
    ///   - environment: The variables that `${NAME}` stands for.
    ///   - automaticMemory: How many bytes `memory: auto` is, where that is known.
    /// - Throws: `Failure`, never empty.
    public static func read(
        text: String, file: String, environment: [String: String], automaticMemory: Int? = nil
    ) throws(Failure) -> GatewayConfiguration {
        let text = self.withoutMark(text)
        let diagnostics = Diagnostics(file: file, text: text)
        let root = DocumentComposer.compose(text, environment: environment, diagnostics: diagnostics)
        if root == nil, diagnostics.isEmpty {
            diagnostics.report(
                Diagnostic.Position(line: 1, column: 1), "the file is empty: the gateway needs `listeners`")
        }
        let configuration = root.flatMap {
            GatewaySection($0, diagnostics: diagnostics)?.configuration(automaticMemory: automaticMemory)
        }
        guard var configuration, diagnostics.isEmpty else {
            throw Failure(diagnostics: diagnostics.inOrder)
        }
        configuration.warnings = diagnostics.warnings
        return configuration
    }

    /// A byte order mark does not count as a character of the first line.
    static func withoutMark(_ text: String) -> String {
        text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
    }

    /// The place of the first bytes that are not UTF-8.
    private static func encodingMistake(in bytes: [UInt8], of path: String) -> Diagnostic {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let index = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
        let line = String(decoding: lines[index], as: UTF8.self)
        let column = line.unicodeScalars.prefix { $0 != "\u{FFFD}" }.count + 1
        return Diagnostic(
            file: path, position: Diagnostic.Position(line: index + 1, column: column), message: "not UTF-8",
            sourceLine: line)
    }
}

extension ConfigurationReader {
    /// Everything that is wrong with a configuration, in the order of the file. Never empty.
    public struct Failure: Error, Equatable, CustomStringConvertible {
        /// At least one, in the order of the file.
        public var diagnostics: [Diagnostic]

        /// `diagnostics` is not empty.
        public init(diagnostics: [Diagnostic]) {
            self.diagnostics = diagnostics
        }

        /// Each mistake with its line and caret.
        public var description: String {
            self.diagnostics.map(\.rendered).joined(separator: "\n")
        }
    }
}
