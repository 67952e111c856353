internal import Admin
internal import ArgumentParser
internal import FoundationEssentials

/// `gateway closes`.
struct ClosesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "closes",
        abstract: "List the last sessions that ended, the newest first, and why.",
        discussion: """
            The gateway keeps the last 1,000. CAUSE is the word of the log, and BY the side that ended the session: client, backend or \
            gateway. CODE is that of the Close that the client got or sent, and REASON what the gateway itself told it there. Exits with 1 if no gateway answers.

            EXAMPLES
              gateway closes
              gateway closes --client 192.0.2.7
              gateway closes --cause backend-gone --route chat
              gateway closes --session 5f0c9a1be2d34c77 --json
            """)

    @Option(help: ArgumentHelp("Only those that ended for this cause, such as backend-gone.", valueName: "cause"))
    var cause: String?

    @OptionGroup var place: PlaceFilterOptions

    @Option(help: ArgumentHelp("Only those with this code, or none.", valueName: "code"))
    var code: String?

    @Option(help: ArgumentHelp("Only this session, by the id that the log has.", valueName: "id"))
    var session: String?

    @Flag(help: "Print the JSON that the admin address answers.")
    var json = false

    @OptionGroup var gateway: AdminOptions

    func run() throws {
        let target = AdminClient.target(
            "/api/closes",
            self.place.parameters + [("cause", self.cause), ("code", self.code), ("session", self.session)])
        let answer = try self.gateway.ask("GET", target)
        guard !self.json else { return print(String(decoding: answer, as: UTF8.self), terminator: "") }
        let listing = try JSONDecoder().decode(ClosesTable.Listing.self, from: answer)
        for line in ClosesTable(listing.closes).lines { print(line) }
    }
}
