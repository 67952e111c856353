internal import ArgumentParser
internal import EventLoop
internal import Foundation
internal import Proxy

/// `gateway run`, or `gateway` alone.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Serve a configuration.",
        discussion: """
            Serves until SIGTERM or SIGINT, then closes every session gently and exits; a second signal cuts what is left.

            SIGHUP reads the file again, as `gateway reload` does. SIGUSR2 starts the program that is now at the path of \
            this one with --takeover.

            EXAMPLES
              gateway
              gateway run --config /etc/gateway/gateway.conf
              gateway run --takeover               take the place of the one that runs with the same file
            """)

    @OptionGroup var file: ConfigurationOptions

    @Flag(
        help: """
            Take the listening sockets from the gateway that runs with the same file, which then closes its sessions gently. \
            No connection is refused meanwhile. If none runs, start as usual.
            """)
    var takeover = false

    func run() throws {
        let (path, configuration) = try self.file.load()
        let absolute = URL(fileURLWithPath: path).standardizedFileURL.path
        let program = (try? OwnProcess.program()) ?? CommandLine.arguments[0]
        let restart = RestartPlan(
            name: TakeoverName.of(configuration: absolute), takesOver: self.takeover, program: program,
            arguments: [program, "run", "--takeover", "--config", absolute])
        try GatewayProcess.run(
            configuration, source: ConfigurationOptions.source(path: absolute), restart: restart)
    }
}
