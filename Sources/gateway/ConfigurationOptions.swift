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

    /// The path of the file, as messages name it.
    ///
    /// - Throws: `ConfigurationReader.Failure` if no file was named and none of the usual ones exists.
    func path() throws(ConfigurationReader.Failure) -> String {
        if let config = self.config { return config }
        guard let path = Self.places.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
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

    private func read() throws(ConfigurationReader.Failure) -> Loaded {
        switch ConfigurationInput(try self.path()) {
        case .file(let path, let files):
            let source = Self.source(path)
            let bytes = try source.bytes(in: files)
            return Loaded(configuration: try source.configuration(of: bytes), source: source, bytes: bytes)
        case .pipe(let name, .success(let bytes)):
            let source = Self.source(name, kept: bytes)
            return Loaded(configuration: try source.keptConfiguration(), source: source)
        case .pipe(let name, .failure(let error)):
            throw ConfigurationReader.Failure(diagnostics: [Diagnostic(file: name, message: "cannot be read: \(error)")]
            )
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
