internal import ArgumentParser
internal import Configuration
internal import EventLoop
internal import Foundation
internal import Proxy

/// `--config`, which several commands take.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The configuration file. (default: ./gateway.conf, then /etc/gateway/gateway.conf)", valueName: "file"))
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

    /// The file at `path`, as a gateway reads it again. The environment is the one that the process was started with.
    static func source(path: String) -> ConfigurationSource {
        let path = URL(fileURLWithPath: path).path
        return self.source(named: path)
    }

    /// - Parameter path: as messages name it.
    private static func source(named path: String) -> ConfigurationSource {
        ConfigurationSource(path: path) { bytes throws(ConfigurationErrors) in
            let environment = ProcessInfo.processInfo.environment
            return try ConfigurationReader.read(
                bytes: bytes, file: path, environment: environment, automaticMemory: MemoryBound.automatic)
        }
    }

    /// The configuration in the file. Mistakes are printed to standard error.
    ///
    /// - Throws: Exit status 1 where there are any.
    func load() throws(ExitCode) -> (path: String, configuration: GatewayConfiguration) {
        do throws(ConfigurationErrors) {
            let path = try self.path()
            // Read once, so it may be anything with an end: a shell makes a FIFO of `--config <(command)`.
            let files = (try? FileReader.readNow([path], .any)) ?? FileSet()
            let source = Self.source(named: path)
            return (path, try source.configuration(of: source.bytes(in: files)))
        } catch {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            throw ExitCode.failure
        }
    }
}
