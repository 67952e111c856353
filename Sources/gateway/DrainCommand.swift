internal import ArgumentParser
internal import FoundationEssentials

/// `gateway drain`.
struct DrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Close sessions gently: all of them, or those of a backend or an endpoint.",
        discussion: """
            Without a backend the running gateway stops accepting, closes every session, spread as `drain` in the configuration \
            says, and exits. With a backend its endpoints get no new sessions until --undo, and their sessions are closed in \
            the same way. Exits with 0 if the drain has begun, and with 1 if it was refused or no gateway answers.

            EXAMPLES
              gateway drain
              gateway drain chat
              gateway drain chat ws://10.0.0.1:3000
              gateway drain chat ws://10.0.0.1:3000 --undo
            """)

    @Argument(help: "The name of a backend. (default: the whole gateway)")
    var backend: String?

    @Argument(help: "One of its endpoints, as it is written in the configuration. (default: all of them)")
    var endpoint: String?

    @Flag(help: "Give the endpoints new sessions again.")
    var undo = false

    @OptionGroup var gateway: AdminOptions

    func validate() throws {
        if self.undo, self.backend == nil {
            throw ValidationError("A drain of the whole gateway cannot be undone: name a backend.")
        }
    }

    private struct Order: Encodable {
        var backend: String?
        var endpoint: String?
        var undo: Bool
    }

    private struct Outcome: Decodable {
        var draining: Bool
        var sessions: Int?
    }

    func run() throws {
        let order = Order(backend: self.backend, endpoint: self.endpoint, undo: self.undo)
        let outcome = try JSONDecoder().decode(Outcome.self, from: self.gateway.ask("POST", "/api/drain", order))
        let what = [self.backend, self.endpoint].compactMap { $0 }.joined(separator: " ")
        if outcome.draining {
            let sessions = outcome.sessions ?? 0
            let plural = sessions == 1 ? "" : "s"
            print("\(what.isEmpty ? "the gateway" : what) is draining: \(sessions) session\(plural) will close")
        } else {
            print("\(what) gets new sessions again")
        }
    }
}
