internal import ArgumentParser

/// The command line of the gateway.
@main
struct Gateway: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway",
        abstract: "A WebSocket reverse proxy and gateway.",
        discussion: """
            EXAMPLES
              gateway                                   serve ./gateway.conf, or /etc/gateway/gateway.conf
              gateway check --config site.conf          find every mistake in a configuration
              gateway explain wss://localhost:8443/echo which route and backend that leads to, or why not
              gateway bridge 6080 localhost:5900        put a TCP server on WebSocket, without a file

            EXIT STATUS
              0 after a drain, 1 for a wrong configuration or where it could not start, 64 for wrong usage,
              70 for an error within the gateway.
            """,
        version: "gateway \(Version.current)",
        subcommands: [RunCommand.self, CheckCommand.self, ExplainCommand.self, BridgeCommand.self, VersionCommand.self],
        defaultSubcommand: RunCommand.self)
}
