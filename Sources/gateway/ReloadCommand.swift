internal import ArgumentParser
internal import FoundationEssentials

/// `gateway reload`.
struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Have the running gateway apply its configuration file.",
        discussion: """
            Sessions go on if the new file still has their route and backend; the others are closed gently. A file with \
            mistakes changes nothing. Exits with 0 if the file was applied, and with 1 if it was refused or no gateway answers.

            EXAMPLES
              gateway reload --dry-run        say how many sessions would close, and why
              gateway reload
              gateway reload --admin unix:/run/gateway-admin.sock
            """)

    @Flag(name: .customLong("dry-run"), help: "Change nothing, and say what would happen.")
    var isDryRun = false

    @Flag(
        name: .customLong("diff"),
        help: "With --dry-run, print the lines of the file that differ. Secrets are left out.")
    var showsChanges = false

    @OptionGroup var gateway: AdminOptions

    func validate() throws {
        if self.showsChanges, !self.isDryRun { throw ValidationError("--diff goes with --dry-run.") }
    }

    private struct Outcome: Decodable {
        struct Reason: Decodable {
            var reason: String
            var sessions: Int
        }

        var closing: Int
        var kept: Int
        var reasons: [Reason]
        var awaitingStart: [String]
        var changes: [String]?

        enum CodingKeys: String, CodingKey {
            case closing, kept, reasons, changes
            case awaitingStart = "awaiting_start"
        }
    }

    func run() throws {
        let answer = try self.gateway.ask("POST", "/api/reload" + (self.isDryRun ? "?dry-run=true" : ""))
        let outcome = try JSONDecoder().decode(Outcome.self, from: answer)
        let verb = self.isDryRun ? "would close" : "will close"
        print("\(outcome.closing) of \(outcome.closing + outcome.kept) sessions \(verb)")
        for reason in outcome.reasons { print("  \(reason.sessions): \(reason.reason)") }
        if !outcome.awaitingStart.isEmpty {
            let keys = outcome.awaitingStart.joined(separator: ", ")
            print("changes of \(keys) take effect when the gateway starts anew")
        }
        if self.showsChanges { for line in outcome.changes ?? [] { print(line.printable) } }
    }
}
