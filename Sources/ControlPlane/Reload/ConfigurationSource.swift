public import Configuration
public import System

/// Where the configuration of a running gateway comes from: a file, which a reload reads again, or a pipe, which can be read only once
/// and is kept.
public struct ConfigurationSource: Sendable {
    /// The absolute path of the file, so that a change of the working directory does no harm. For a pipe, its name in messages.
    public let path: String
    /// What came by a pipe; `nil` for a file.
    public let kept: [UInt8]?
    /// What the configuration at start was read from.
    let first: [UInt8]
    private let read: @Sendable ([UInt8]) throws(ConfigurationReader.Failure) -> GatewayConfiguration

    /// - Parameters:
    ///   - kept: what came by a pipe.
    ///   - first: the bytes of a file, as they were read first.
    ///   - read: parses bytes.
    public init(
        path: String, kept: [UInt8]? = nil, first: [UInt8] = [],
        read: @escaping @Sendable ([UInt8]) throws(ConfigurationReader.Failure) -> GatewayConfiguration
    ) {
        self.path = path
        self.kept = kept
        self.first = kept ?? first
        self.read = read
    }

    /// Why it cannot be read again; `nil` if it can.
    var refusal: String? {
        guard self.kept != nil else { return nil }
        return "the configuration came by a pipe (\(self.path)), which cannot be read again: it stays as it is"
    }

    /// The configuration that came by a pipe.
    ///
    /// - Throws: every mistake, each with its place.
    public func keptConfiguration() throws(ConfigurationReader.Failure) -> GatewayConfiguration {
        try self.read(self.kept ?? [])
    }

    /// Reads the file.
    ///
    /// - Throws: one mistake without a place, if the file cannot be read.
    public func bytes(in files: FileSet) throws(ConfigurationReader.Failure) -> [UInt8] {
        do throws(FileError) {
            return try files.contents(of: self.path)
        } catch {
            throw ConfigurationReader.Failure(diagnostics: [
                Diagnostic(file: self.path, message: "cannot be read: \(error)")
            ])
        }
    }

    /// Parses the bytes of the file.
    ///
    /// - Throws: every mistake, each with its place.
    public func configuration(of bytes: [UInt8]) throws(ConfigurationReader.Failure) -> GatewayConfiguration {
        try self.read(bytes)
    }
}
