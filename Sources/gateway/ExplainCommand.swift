internal import Admission
internal import ArgumentParser
internal import Configuration
internal import Credentials
internal import DataPlane
internal import System

/// `gateway explain URL`.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say which route and backend a URL leads to, or why it would be refused.",
        discussion: """
            Uses the code that decides on real requests, and connects to nothing. Tokens of `tokens` backends are looked up in \
            their files, and never printed. Exits with 0 if the URL would be served, and \
            with 1 if not.

            EXAMPLES
              gateway explain ws://127.0.0.1:8080/echo
              gateway explain https://app.example.com/api/login --method POST
              gateway explain wss://chat.example.com/chat --token "$TOKEN"
              gateway explain wss://chat.example.com/chat --origin https://chat.example.com --subprotocol chat.v2
              gateway explain ws://127.0.0.1:8080/chat --origin https://chat.example.com --address 10.0.0.9 \\
                --header "X-Forwarded-Proto: https" --header "X-Forwarded-Host: chat.example.com"
            """)

    @Argument(help: ArgumentHelp("Where a client would connect: ws://, wss://, http:// or https://.", valueName: "url"))
    var url: String

    @Option(help: ArgumentHelp("The method of the request.", valueName: "method"))
    var method = "GET"

    @Option(
        help: ArgumentHelp("The Origin that a browser would send. (default: none, like a program)", valueName: "origin")
    )
    var origin: String?

    @Option(
        name: .customLong("subprotocol"),
        help: ArgumentHelp("A subprotocol that the client offers, best first; repeat it for more.", valueName: "name"))
    var subprotocols: [String] = []

    @Option(
        name: .customLong("header"),
        help: ArgumentHelp(
            "A further field of the request, as \"Name: value\"; repeat it for more.", valueName: "field"))
    var headers: [String] = []

    @Option(help: ArgumentHelp("A token, sent as \"Authorization: Bearer TOKEN\".", valueName: "token"))
    var token: String?

    @Option(
        help: ArgumentHelp(
            "The address that the request comes from, by its PROXY header where there is one, or unix for a Unix socket. (default: one that is not trusted)",
            valueName: "address"))
    var address: String?

    @OptionGroup var file: ConfigurationOptions

    func validate() throws {
        _ = try self.peer
        _ = try self.fields
    }

    func run() throws {
        let (_, configuration) = try self.file.load()
        let paths = CredentialFiles.paths(of: configuration)
        let files = try CredentialFiles(configuration, try FileReader.readNow(paths))
        var known = Explanation.Surroundings()
        known.files = files.contents
        known.now = WallClock.sinceEpoch().components.seconds
        known.address = { token, _, tokens in TokenLines.readNow(tokens.path).address(for: token) }
        let explanation = Explanation.explain(
            configuration, url: self.url, method: self.method, origin: self.origin,
            subprotocols: self.subprotocols, more: try self.fields, from: try self.peer, by: known)
        print(explanation.text, terminator: "")
        guard explanation.isServed else { throw ExitCode.failure }
        guard let backend = explanation.backend.flatMap({ configuration.backends[$0] }) else { return }
        // Nothing connects to a built-in service.
        if case .builtin = backend.kind { return }
        print("The state of the endpoints is not asked here; Why not? on the dashboard knows it.")
    }

    private var peer: Explanation.Peer {
        get throws {
            guard let address = self.address else { return .anyone }
            guard address != "unix" else { return .unix }
            guard let address = IPAddress(address) else {
                throw ValidationError("--address is an IP address or unix, not \(address)")
            }
            return .address(address)
        }
    }

    private var fields: [(name: String, value: String)] {
        get throws {
            try self.headers.map(Self.field)
                + (self.token.map { [try Self.field("Authorization: Bearer \($0)")] } ?? [])
        }
    }

    private static func field(_ text: String) throws -> (name: String, value: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, parts[0].allSatisfy({ $0.isASCII && !$0.isWhitespace }) else {
            throw ValidationError("--header is \"Name: value\", not \(text)")
        }
        guard !text.utf8.contains(where: { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") }) else {
            throw ValidationError("--header is one line; repeat it for more fields")
        }
        return (String(parts[0]), parts[1].trimmed)
    }
}
