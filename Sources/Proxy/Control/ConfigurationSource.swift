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

    /// The configuration in the file.
    ///
    /// - Throws: every mistake as a line of its own; one without a place where the file cannot be read.
    package func configuration(in files: FileSet) throws(ConfigurationErrors) -> GatewayConfiguration {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try files.contents(of: self.path)
        } catch {
            throw ConfigurationErrors(diagnostics: [Diagnostic(file: self.path, message: "cannot be read: \(error)")])
        }
        return try self.read(bytes)
    }
}
