internal import Admin
internal import ArgumentParser
internal import DataPlane
internal import FoundationEssentials

/// `gateway sessions`.
struct SessionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sessions",
        abstract: "List the live sessions of the running gateway, or close one.",
        discussion: """
            SUBJECT is what its credential calls the client: the user, the token's sub, or the name in the certificate. RTT is the latest round trip of a ping to the client and, after a slash, to the backend. Without --sort the oldest come first. Exits with 1 if no gateway answers.

            EXAMPLES
              gateway sessions
              gateway sessions --subject alice
              gateway sessions --client 10.0.0.0/8 --sort -queue --limit 20
              gateway sessions --json | jq '.sessions[] | select(.idle_seconds > 600)'
              gateway sessions close 5f0c9a1be2d34c77
              gateway sessions close 5f0c9a1be2d34c77 4001 "your account was closed"
            """,
        subcommands: [CloseCommand.self])

    @Flag(help: "Print the JSON that the admin address answers, one object for each 1,000 sessions.")
    var json = false

    @OptionGroup var filter: SessionFilterOptions

    @Option(help: "The greatest first: -queue, -rtt, -age or -rate. (default: -age)")
    var sort: String?

    @Option(help: ArgumentHelp("At most so many. (default: all)", valueName: "number"))
    var limit: Int?

    @OptionGroup var gateway: AdminOptions

    func validate() throws {
        if let limit = self.limit, limit < 1 { throw ValidationError("--limit is 1 or more.") }
    }

    func run() throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        var sessions: [SessionTable.Session] = []
        var after: String?
        repeat {
            let left = (self.limit ?? .max) - sessions.count
            let answer = try self.gateway.ask("GET", self.target(after: after, limit: left))
            if self.json { print(String(decoding: answer, as: UTF8.self), terminator: "") }
            let page = try decoder.decode(SessionTable.Listing.self, from: answer)
            sessions += page.sessions
            after = page.next
        } while after != nil && sessions.count < self.limit ?? .max
        if !self.json { print(SessionTable(sessions).text, terminator: "") }
    }

    private func target(after: String?, limit: Int) -> String {
        let page: [(name: String, value: String?)] = [
            ("sort", self.sort ?? "-age"), ("limit", "\(min(limit, SessionQuery.longestPage))"), ("after", after),
        ]
        return AdminClient.target("/api/sessions", self.filter.parameters + page)
    }
}
