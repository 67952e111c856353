internal import ArgumentParser
internal import System

/// The command line of the gateway.
@main
struct Gateway: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway",
        abstract: "A WebSocket reverse proxy and gateway.",
        discussion: """
            EXAMPLES
              gateway                              serve the configuration
              gateway check --config site.conf     find every mistake in a file
              gateway explain ws://localhost/echo  say what a URL leads to, or why it is refused
              gateway bridge 6080 localhost:5900   put a TCP server on WebSocket
              gateway reload --dry-run             say what a reload would close
              gateway sessions                     list its live sessions
              gateway closes --client 192.0.2.7    say how its sessions ended
              gateway tail 5f0c9a1be2d34c77        show the frames of one as they pass

            The configuration is ./gateway.conf or, if there is none, /etc/gateway/gateway.conf.

            EXIT STATUS
              0 after a drain; 1 if the configuration is wrong, if the gateway cannot start,
              or if a running gateway refuses or does not answer;
              64 for wrong usage.
            """,
        version: "gateway \(Version.current)",
        subcommands: [
            RunCommand.self, CheckCommand.self, ExplainCommand.self, BridgeCommand.self, ReloadCommand.self,
            SessionsCommand.self, ClosesCommand.self, CloseCommand.self, TailCommand.self, RecordCommand.self,
            TopCommand.self, EndpointCommand.self, DrainCommand.self, SchemaCommand.self, VersionCommand.self,
        ],
        defaultSubcommand: RunCommand.self)

    static func main() {
        OwnProcess.occupyStandardDescriptors()
        // logrotate may send SIGUSR1 before there is a log, and by default that signal kills the process.
        SignalSource.ignore(SignalSource.user1)
        Self.main(nil)
    }
}
