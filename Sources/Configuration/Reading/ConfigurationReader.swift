private import Foundation

/// Reads `gateway.conf`: YAML to a checked, typed value, or every mistake with its place.
package enum ConfigurationReader {
    /// Reads a file.
    ///
    /// - Parameter environment: The variables that `${NAME}` stands for.
    /// - Throws: `ConfigurationErrors`, never empty; one without a place where the file cannot be read.
    package static func load(
        path: String, environment: [String: String]
    ) throws(ConfigurationErrors) -> GatewayConfiguration {
        let bytes: [UInt8]
        do {
            bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw ConfigurationErrors(diagnostics: [Diagnostic(file: path, message: Self.reason(error))])
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            let valid = bytes.prefix { $0 < 0x80 }
            let line = valid.count { $0 == UInt8(ascii: "\n") } + 1
            let message = "not UTF-8, from the first character beyond ASCII (line \(line)) or later"
            throw ConfigurationErrors(diagnostics: [Diagnostic(file: path, message: message)])
        }
        return try self.read(text: text, file: path, environment: environment)
    }

    /// Reads the text of a file.
    ///
    /// - Parameters:
    ///   - file: The name of the file, for messages.
    ///   - environment: The variables that `${NAME}` stands for.
    /// - Throws: `ConfigurationErrors`, never empty.
    package static func read(
        text: String, file: String, environment: [String: String]
    ) throws(ConfigurationErrors) -> GatewayConfiguration {
        let diagnostics = Diagnostics(file: file, text: text)
        let root = DocumentComposer.compose(text, environment: environment, diagnostics: diagnostics)
        if root == nil, diagnostics.isEmpty {
            diagnostics.report(SourcePosition(line: 1, column: 1), "the file is empty: the gateway needs `listeners`")
        }
        let configuration = root.flatMap { GatewaySection($0, diagnostics: diagnostics)?.configuration() }
        guard let configuration, diagnostics.isEmpty else {
            throw ConfigurationErrors(diagnostics: diagnostics.inOrder)
        }
        return configuration
    }

    /// Why a file cannot be read, in the words of the system's tools.
    private static func reason(_ error: any Error) -> String {
        switch (error as? CocoaError)?.code {
        case .fileReadNoSuchFile: "no such file"
        case .fileReadNoPermission: "permission denied"
        default: "cannot be read: \(error.localizedDescription)"
        }
    }
}
