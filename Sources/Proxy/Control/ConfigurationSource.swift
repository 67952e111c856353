package import Configuration
package import EventLoop

/// The configuration file of a running gateway, which a reload reads again.
package struct ConfigurationSource: Sendable {
    /// Absolute: a change of the working directory must not lead to another file.
    package let path: String
    private let read: @Sendable ([UInt8]) throws(ConfigurationErrors) -> GatewayConfiguration

    /// - Parameter read: makes a configuration of the file's bytes.
    package init(
        path: String, read: @escaping @Sendable ([UInt8]) throws(ConfigurationErrors) -> GatewayConfiguration
    ) {
        self.path = path
        self.read = read
    }

    /// What the file says.
    ///
    /// - Throws: one mistake without a place, where the file cannot be read.
    package func bytes(in files: FileSet) throws(ConfigurationErrors) -> [UInt8] {
        do throws(FileError) {
            return try files.contents(of: self.path)
        } catch {
            throw ConfigurationErrors(diagnostics: [Diagnostic(file: self.path, message: "cannot be read: \(error)")])
        }
    }

    /// The configuration that the file's bytes are.
    ///
    /// - Throws: every mistake as a line of its own.
    package func configuration(of bytes: [UInt8]) throws(ConfigurationErrors) -> GatewayConfiguration { try self.read(bytes) }
}
