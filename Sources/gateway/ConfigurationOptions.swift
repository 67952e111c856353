internal import ArgumentParser
internal import Configuration
internal import ControlPlane
internal import DataPlane
internal import FoundationEssentials
internal import System

/// `--config`, an option of several commands.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The configuration file; `-` is standard input. (default: ./gateway.conf, then /etc/gateway/gateway.conf)",
            valueName: "file"))
    var config: String?

    /// The files to try without `--config`, in this order.
    private static let places = ["gateway.conf", "/etc/gateway/gateway.conf"]

    /// Whether a file is named, or there is one in a usual place.
    var hasFile: Bool { self.config != nil || self.usualPlace != nil }

    private var usualPlace: String? { Self.places.first { FileManager.default.fileExists(atPath: $0) } }

    /// The path of the file, as messages name it.
    ///
    /// - Throws: `ConfigurationReader.Failure` if no file was named and none of the usual ones exists.
    func path() throws(ConfigurationReader.Failure) -> String {
        if let config = self.config { return config }
        guard let path = self.usualPlace else {
            let message = "no such file, and no \(Self.places[1]) either: name one with --config FILE"
            throw ConfigurationReader.Failure(diagnostics: [Diagnostic(file: Self.places[0], message: message)])
        }
        return path
    }

    /// - Parameters:
    ///   - path: the name in messages.
    ///   - kept: the bytes of a pipe.
    ///   - first: the bytes of a file.
    private static func source(_ path: String, kept: [UInt8]? = nil, first: [UInt8] = []) -> ConfigurationSource {
        // The environment does not change while the process runs.
        ConfigurationSource(path: path, kept: kept, first: first) { bytes throws(ConfigurationReader.Failure) in
            let environment = ProcessInfo.processInfo.environment
            return try ConfigurationReader.read(
                bytes: bytes, file: path, environment: environment, automaticMemory: MemoryBound.automatic)
        }
    }

    /// A configuration and its source.
    private struct Loaded {
        let configuration: GatewayConfiguration
        let source: ConfigurationSource
        /// Of a file.
        var bytes: [UInt8] = []
    }

    /// Reads `admin`, whatever mistakes are elsewhere in the file: they do not keep operators from the gateway that runs.
    ///
    /// - Throws: `ConfigurationReader.Failure` if the file or `admin` cannot be read.
    /// - Returns: the settings, if there are any, and the path in messages.
    func readAdmin() throws(ConfigurationReader.Failure) -> (path: String, settings: GatewayConfiguration.Admin?) {
        let (path, bytes) = try self.bytes()
        let environment = ProcessInfo.processInfo.environment
        return (path, try ConfigurationReader.readAdmin(bytes: bytes, file: path, environment: environment))
    }

    private func bytes() throws(ConfigurationReader.Failure) -> (path: String, bytes: [UInt8]) {
        switch ConfigurationInput(try self.path()) {
        case .file(let path, let files): (path, try Self.source(path).bytes(in: files))
        case .pipe(let name, .success(let bytes)): (name, bytes)
        case .pipe(let name, .failure(let error)): throw Self.unreadable(name, error)
        }
    }

    private static func unreadable(_ name: String, _ error: FileError) -> ConfigurationReader.Failure {
        ConfigurationReader.Failure(diagnostics: [Diagnostic(file: name, message: "cannot be read: \(error)")])
    }

    private func read() throws(ConfigurationReader.Failure) -> Loaded {
        switch ConfigurationInput(try self.path()) {
        case .file(let path, let files):
            let source = Self.source(path)
            let bytes = try source.bytes(in: files)
            return Loaded(configuration: try source.configuration(of: bytes), source: source, bytes: bytes)
        case .pipe(let name, .success(let bytes)):
            let source = Self.source(name, kept: bytes)
            return Loaded(configuration: try source.keptConfiguration(), source: source)
        case .pipe(let name, .failure(let error)): throw Self.unreadable(name, error)
        }
    }

    /// Reads the configuration. Prints mistakes to standard error.
    private func readOrExit() throws(ExitCode) -> Loaded {
        do throws(ConfigurationReader.Failure) { return try self.read() } catch {
            OutputFile.standardError.append(line: "\(error)")
            throw ExitCode.failure
        }
    }

    /// Reads the configuration. Prints mistakes to standard error.
    ///
    /// - Throws: exit status 1 if there are mistakes.
    /// - Returns: the configuration, and its path in messages.
    func load() throws(ExitCode) -> (path: String, configuration: GatewayConfiguration) {
        let loaded = try self.readOrExit()
        return (loaded.source.path, loaded.configuration)
    }

    /// Reads the configuration of a gateway that is to run, with the source that a reload reads again.
    func loadToRun() throws(ExitCode) -> (configuration: GatewayConfiguration, source: ConfigurationSource) {
        let loaded = try self.readOrExit()
        guard loaded.source.kept == nil else { return (loaded.configuration, loaded.source) }
        let absolute = URL(fileURLWithPath: loaded.source.path).standardizedFileURL.path
        return (loaded.configuration, Self.source(absolute, first: loaded.bytes))
    }
}
