public import Configuration
public import System

/// The configuration of a running gateway: a file, which a reload reads again, or what came by a pipe, which is kept.
public struct ConfigurationSource: Sendable {
    /// Absolute: a change of the working directory must not lead to another file. Of a pipe, as messages name it.
    public let path: String
    /// What came by a pipe, as it came; `nil`: the file can be read again.
    public let kept: [UInt8]?
    private let read: @Sendable ([UInt8]) throws(ConfigurationErrors) -> GatewayConfiguration

    /// - Parameter read: makes a configuration of the file's bytes.
    public init(
        path: String, kept: [UInt8]? = nil,
        read: @escaping @Sendable ([UInt8]) throws(ConfigurationErrors) -> GatewayConfiguration
    ) {
        self.path = path
        self.kept = kept
        self.read = read
    }

    /// Why it is not read again; `nil`: it is.
    var refusal: String? {
        guard self.kept != nil else { return nil }
        return "the configuration came by a pipe (\(self.path)), which cannot be read again: it stays as it is"
    }

    /// The configuration that came by a pipe.
    ///
    /// - Throws: every mistake as a line of its own.
    public func keptConfiguration() throws(ConfigurationErrors) -> GatewayConfiguration {
        try self.read(self.kept ?? [])
    }

    /// What the file says.
    ///
    /// - Throws: one mistake without a place, where the file cannot be read.
    public func bytes(in files: FileSet) throws(ConfigurationErrors) -> [UInt8] {
        do throws(FileError) {
            return try files.contents(of: self.path)
        } catch {
            throw ConfigurationErrors(diagnostics: [Diagnostic(file: self.path, message: "cannot be read: \(error)")])
        }
    }

    /// The configuration that the file's bytes are.
    ///
    /// - Throws: every mistake as a line of its own.
    public func configuration(of bytes: [UInt8]) throws(ConfigurationErrors) -> GatewayConfiguration {
        try self.read(bytes)
    }
}
