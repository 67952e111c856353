internal import ArgumentParser

/// `gateway run`, or `gateway` alone.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Serve a configuration.",
        discussion: """
            Serves until SIGTERM or SIGINT, then closes every session gently and exits; a second signal cuts what is left.

            EXAMPLES
              gateway
              gateway run --config /etc/gateway/gateway.conf
            """)

    @OptionGroup var file: ConfigurationOptions

    func run() throws {
        let (path, configuration) = try self.file.load()
        try GatewayProcess.run(configuration, source: ConfigurationOptions.source(path: path))
    }
}
