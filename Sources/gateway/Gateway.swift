import ArgumentParser

/// The command line of the gateway.
@main
struct Gateway: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "gateway", abstract: "A WebSocket reverse proxy and gateway.")
}
