internal import Admin
internal import ArgumentParser
internal import Configuration
internal import ControlPlane
internal import DataPlane
internal import System

/// `gateway check`.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Find every mistake in a configuration.",
        discussion: """
            Prints each mistake as FILE:LINE:COLUMN: message and exits with 1, or with 0 if there is none. Certificates, keys \
            and authorities that the file names are read too, the keys and users of `auth` as well (those of a URL are not fetched), and the folders of `files` and the files of `tokens` must be there; relative paths begin at the current folder. What is permitted \
            but probably not intended is printed as a line that begins with "warning:", and does not change the exit status: routes that nothing reaches, \
            backends that no route leads to, certificates that are never shown or expire within 14 days, and others.

            EXAMPLES
              gateway check
              gateway check --config /etc/gateway/gateway.conf
            """)

    @OptionGroup var file: ConfigurationOptions

    func run() throws {
        let (path, configuration) = try self.file.load()
        // The files that the configuration names must exist too.
        let certificates = CertificateFiles.findings(in: configuration)
        let credentials = CredentialFiles.findings(in: configuration)
        let tokens = TokenLines.findings(in: configuration)
        let problems =
            certificates.problems + credentials.problems + tokens.problems + FileService.problems(in: configuration)
            + [configuration.admin.flatMap(AdminPlace.problem)].compactMap { $0 }
            + configuration.listeners.compactMap(ListenerSet.problem)
        guard problems.isEmpty else {
            for problem in problems { OutputFile.standardError.append(line: "\(path): \(problem)") }
            throw ExitCode.failure
        }
        let warnings = (certificates.warnings + credentials.warnings).map { "\(path): \($0)" }
        for warning in configuration.warnings.map(\.rendered) + warnings + tokens.warnings {
            OutputFile.standardError.append(line: "warning: \(warning)")
        }
        let counts = [
            Self.count(configuration.listeners.count, "listener"), Self.count(configuration.routes.count, "route"),
            Self.count(configuration.backends.count, "backend"),
        ]
        print("\(path): \(counts.joined(separator: ", ")): OK")
    }

    private static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}
