internal import ArgumentParser
import ControlPlane
internal import DataPlane
internal import System
internal import Takeover

/// `gateway run`, or `gateway` alone.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Serve a configuration.",
        discussion: """
            Serves until SIGTERM or SIGINT, then closes every session gently and exits; a second signal aborts what is left.

            SIGHUP reads the file again, as `gateway reload` does. SIGUSR1 opens `log.file` again, for logrotate. SIGUSR2 starts the \
            program that is now at the path of this one, with --takeover; a configuration that came by a pipe is passed to it.

            EXAMPLES
              gateway
              gateway run --config /etc/gateway/gateway.conf
              generate | gateway run --config -
              gateway run --takeover               take over from the gateway with this file
            """)

    @OptionGroup var file: ConfigurationOptions

    @Flag(
        help: """
            Take over the listening sockets of the gateway that runs with the same file, or with the same text if it comes by a \
            pipe. That gateway then closes its sessions gently. No connection is refused. If none runs, start as usual.
            """)
    var takeover = false

    func run() throws {
        let (configuration, source) = try self.file.loadToRun()
        let program = (try? OwnProcess.program()) ?? CommandLine.arguments[0]
        let restart = RestartPlan(
            name: source.kept.map { TakeoverName.of(contents: $0) } ?? TakeoverName.of(configuration: source.path),
            takesOver: self.takeover, program: program,
            arguments: [program, "run", "--takeover", "--config", source.kept == nil ? source.path : "-"],
            input: source.kept)
        try GatewayProcess.run(configuration, source: source, restart: restart)
    }
}
