internal import ArgumentParser
internal import Configuration
internal import ControlPlane
internal import DataPlane
internal import Foundation
internal import System

/// `--config`, which several commands take.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The configuration file; `-` is standard input. (default: ./gateway.conf, then /etc/gateway/gateway.conf)",
            valueName: "file"))
    var config: String?

    /// Where a configuration is looked for that is not named.
    private static let places = ["gateway.conf", "/etc/gateway/gateway.conf"]

    /// The file, as messages name it.
    ///
    /// - Throws: `ConfigurationErrors` where none was named and there is none.
    func path() throws(ConfigurationErrors) -> String {
        if let config = self.config { return config }
        guard let path = Self.places.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
            let message = "no such file, and no \(Self.places[1]) either: name one with --config FILE"
            throw ConfigurationErrors(diagnostics: [Diagnostic(file: Self.places[0], message: message)])
        }
        return path
    }

    /// - Parameters:
    ///   - path: as messages name it.
    ///   - kept: what a pipe gave.
    private static func source(_ path: String, kept: [UInt8]? = nil) -> ConfigurationSource {
        // The environment is the one that the process was started with.
        ConfigurationSource(path: path, kept: kept) { bytes throws(ConfigurationErrors) in
            let environment = ProcessInfo.processInfo.environment
            return try ConfigurationReader.read(
                bytes: bytes, file: path, environment: environment, automaticMemory: MemoryBound.automatic)
        }
    }

    /// A configuration, and where it comes from.
    private struct Loaded {
        let configuration: GatewayConfiguration
        let source: ConfigurationSource
    }

    private func read() throws(ConfigurationErrors) -> Loaded {
        switch ConfigurationInput(try self.path()) {
        case .file(let path, let files):
            let source = Self.source(path)
            return Loaded(configuration: try source.configuration(of: source.bytes(in: files)), source: source)
        case .pipe(let name, .success(let bytes)):
            let source = Self.source(name, kept: bytes)
            return Loaded(configuration: try source.keptConfiguration(), source: source)
        case .pipe(let name, .failure(let error)):
            throw ConfigurationErrors(diagnostics: [Diagnostic(file: name, message: "cannot be read: \(error)")])
        }
    }

    /// Mistakes are printed to standard error.
    private func readOrExit() throws(ExitCode) -> Loaded {
        do throws(ConfigurationErrors) { return try self.read() } catch {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            throw ExitCode.failure
        }
    }

    /// The configuration, and how messages name it. Mistakes are printed to standard error.
    ///
    /// - Throws: Exit status 1 where there are any.
    func load() throws(ExitCode) -> (path: String, configuration: GatewayConfiguration) {
        let loaded = try self.readOrExit()
        return (loaded.source.path, loaded.configuration)
    }

    /// The same for a gateway that is to run, with what a reload reads again.
    func loadToRun() throws(ExitCode) -> (configuration: GatewayConfiguration, source: ConfigurationSource) {
        let loaded = try self.readOrExit()
        guard loaded.source.kept == nil else { return (loaded.configuration, loaded.source) }
        let absolute = URL(fileURLWithPath: loaded.source.path).standardizedFileURL.path
        return (loaded.configuration, Self.source(absolute))
    }
}
