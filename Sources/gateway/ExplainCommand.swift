internal import ArgumentParser
internal import Configuration
internal import Foundation
internal import Proxy

/// `gateway explain URL`.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say which route and backend a URL leads to, or why it would be refused.",
        discussion: """
            Asks the same code that decides on requests; nothing is connected to. Exits with 0 if the URL would be served, \
            and with 1 if it would not.

            EXAMPLES
              gateway explain ws://127.0.0.1:8080/echo
              gateway explain wss://chat.example.com/chat --origin https://chat.example.com --subprotocol chat.v2
            """)

    @Argument(help: ArgumentHelp("Where a client would connect: ws://, wss://, http:// or https://.", valueName: "url"))
    var url: String

    @Option(
        help: ArgumentHelp("The Origin that a browser would send. (default: none, as a program)", valueName: "origin"))
    var origin: String?

    @Option(
        name: .customLong("subprotocol"),
        help: ArgumentHelp("A subprotocol that the client offers, best first; repeat it for more.", valueName: "name"))
    var subprotocols: [String] = []

    @OptionGroup var file: ConfigurationOptions

    func run() throws {
        let (_, configuration) = try self.file.load()
        let explanation = Explanation.explain(
            configuration, url: self.url, origin: self.origin, subprotocols: self.subprotocols)
        print(explanation.text, terminator: "")
        guard explanation.isServed else { throw ExitCode.failure }
    }
}
