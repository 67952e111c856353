internal import ArgumentParser
internal import Configuration

/// `gateway bridge LISTEN TARGET`.
struct BridgeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bridge",
        abstract: "Put one server, or several by tokens, on WebSocket, without a configuration file.",
        discussion: """
            LISTEN is a port, an address, or a URL: 6080, :6080, 127.0.0.1:6080, ws://:6080, wss://:8443. With wss:// and \
            no --cert, a certificate is made at start. A port alone listens on every address of this machine.

            TARGET is the server: localhost:5900, tcp://localhost:5900, tls://broker:8883, unix:/run/vnc.sock; \
            or a WebSocket server: ws://localhost:3000, wss://chat.internal/chat, ws+unix:/run/app.sock. With --tokens there is \
            none: the query of each request names a TCP server, ?token=TOKEN, and lines of a file say which: TOKEN: localhost:5901.

            By default a browser may open sessions only from pages of the gateway's own origin, and the gateway serves no pages: \
            permit others with --origin, or serve pages with --web. Programs that are not browsers send no Origin and are let in.

            EXAMPLES
              gateway bridge 127.0.0.1:6080 localhost:5900
              gateway bridge 6080 localhost:5900 --web /usr/share/novnc
              gateway bridge 6080 --tokens /etc/gateway/tokens --web /usr/share/novnc
              gateway bridge 6080 localhost:5900 --origin https://vnc.example.com
              gateway bridge wss://:8443 tcp://localhost:1883 --subprotocol mqtt
              gateway bridge wss://:8443 ws://localhost:3000 --origin any
              gateway bridge wss://:443 unix:/run/x.sock --cert x.pem --key x.key
            """)

    @Argument(help: ArgumentHelp("Where to listen.", valueName: "listen"))
    var listen: String

    @Argument(help: ArgumentHelp("The server that sessions lead to.", valueName: "target"))
    var target: String?

    @Option(
        help: ArgumentHelp(
            "A file of lines TOKEN: host:port, or a folder of them, instead of the target. Changes count within 2 s.",
            valueName: "path"))
    var tokens: String?

    @Option(help: "The path at which clients connect: /vnc, or /vnc/* for everything below it. (default: every path)")
    var path: String?

    @Option(
        name: .customLong("origin"),
        help: ArgumentHelp(
            "Pages of this origin may open sessions; `any` permits all; repeat it for more. (default: the gateway's own)",
            valueName: "origin"))
    var origins: [String] = []

    @Option(
        name: .customLong("subprotocol"),
        help: ArgumentHelp("An allowed subprotocol, best first; repeat it for more.", valueName: "name"))
    var subprotocols: [String] = []

    @Flag(help: "Turn the bytes of a TCP server into text messages instead of binary ones.")
    var text = false

    @Option(help: ArgumentHelp("The certificate chain to serve with, a PEM file.", valueName: "file"))
    var cert: String?

    @Option(help: ArgumentHelp("Its private key, a PEM file.", valueName: "file"))
    var key: String?

    @Option(
        help: ArgumentHelp(
            "A folder of files to serve, such as a client for the server; sessions are opened at every path, or at --path.",
            valueName: "folder"))
    var web: String?

    /// Checked here and not in `run`, so that the message is followed by the usage of this command.
    func validate() throws {
        _ = try self.gatewayConfiguration()
    }

    func run() throws {
        let configuration = try self.gatewayConfiguration()
        try GatewayProcess.run(configuration, hint: BridgeConfiguration.hint(for: configuration))
    }

    /// The configuration that a file would have.
    ///
    /// - Throws: `ValidationError`, which becomes exit status 64.
    private func gatewayConfiguration() throws(ValidationError) -> GatewayConfiguration {
        var bridge = BridgeConfiguration(listen: self.listen, target: self.target)
        bridge.tokens = self.tokens
        bridge.path = self.path
        bridge.origins = self.origins
        bridge.subprotocols = self.subprotocols
        bridge.message = self.text ? .text : nil
        bridge.certificate = self.cert
        bridge.key = self.key
        bridge.web = self.web
        do {
            return try bridge.gatewayConfiguration()
        } catch {
            throw ValidationError(error.description)
        }
    }
}
