internal import ArgumentParser
internal import DataPlane
internal import FoundationEssentials

/// `gateway close`, or `gateway sessions close`.
struct CloseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "close",
        abstract: "Close a session, or all sessions that match.",
        discussion: """
            The client gets a Close with the code and the reason, and the backend one with 1001. With options instead of an id, all \
            sessions are closed for which each of them holds, at once; `gateway drain` spreads that. --for also keeps a subject out: its \
            requests are refused with 403 for so long. Exits with 0 if the sessions are closing, also if none matches, and with 1 if \
            there is no session of that id, no route, backend or endpoint of that name, if the code is refused, or no gateway answers.

            EXAMPLES
              gateway close 5f0c9a1be2d34c77
              gateway close 5f0c9a1be2d34c77 4001 "your account was closed"
              gateway close --route chat --dry-run
              gateway close --client 10.0.0.0/8 --code 1012 --reason "maintenance"
              gateway close --subject alice --for 10m
            """)

    @Argument(help: "The session's id, as the list and the log show it. (not with options that choose sessions)")
    var id: String?

    @Argument(help: "\(CloseOrder.codesText). (default: \(CloseOrder.defaultCode))")
    var code: UInt16?

    @Argument(help: "At most \(CloseOrder.longestReason) bytes. (default: none)")
    var reason: String?

    @OptionGroup var filter: SessionFilterOptions

    @Flag(help: "All sessions.")
    var all = false

    @Option(
        name: .customLong("code"),
        help: ArgumentHelp(
            "Without an id: \(CloseOrder.codesText). (default: \(CloseOrder.defaultCode))", valueName: "code"))
    var codeOfAll: UInt16?

    @Option(
        name: .customLong("reason"),
        help: ArgumentHelp(
            "Without an id: at most \(CloseOrder.longestReason) bytes. (default: none)", valueName: "reason"))
    var reasonOfAll: String?

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp(
            "With --subject: refuse its requests for so long, from 1s to 168h. (default: not at all)",
            valueName: "duration"))
    var keepingOut: String?

    @Flag(name: .customLong("dry-run"), help: "Without an id: close none, and say how many match.")
    var isDryRun = false

    @OptionGroup var gateway: AdminOptions

    /// Whether an option is there that is about many sessions.
    private var isAboutMany: Bool {
        self.filter.parameters.contains { $0.value != nil } || self.all || self.isDryRun || self.codeOfAll != nil
            || self.reasonOfAll != nil || self.keepingOut != nil
    }

    func validate() throws {
        guard let id = self.id else {
            guard self.all || self.filter.parameters.contains(where: { $0.value != nil }) else {
                throw ValidationError(
                    "Name a session by its id, or sessions by --route, --client and others, or --all.")
            }
            return
        }
        // It becomes part of a request's path.
        guard id.utf8.count == 16, id.allSatisfy(\.isHexDigit) else {
            throw ValidationError("\(id) is no session id: that has 16 hexadecimal digits.")
        }
        guard !self.isAboutMany else {
            throw ValidationError("Name either a session, with its code and reason behind it, or sessions by options.")
        }
    }

    private struct Order: Encodable {
        var code: UInt16?
        var reason: String?
    }

    private struct Outcome: Decodable {
        var id: String
        var code: Int
    }

    private struct OrderOfMany: Encodable {
        var route: String?
        var backend: String?
        var endpoint: String?
        var client: String?
        var subject: String?
        var all: Bool?
        var code: UInt16?
        var reason: String?
        var keepingOut: String?

        enum CodingKeys: String, CodingKey {
            case route, backend, endpoint, client, subject, all, code, reason
            case keepingOut = "for"
        }
    }

    private struct OutcomeOfMany: Decodable {
        var matched: Int
    }

    func run() throws {
        if let id = self.id { try self.close(id) } else { try self.closeMany() }
    }

    private func close(_ id: String) throws {
        let order = Order(code: self.code, reason: self.reason)
        let answer = try self.gateway.ask("POST", "/api/sessions/\(id.lowercased())/close", order)
        let outcome = try JSONDecoder().decode(Outcome.self, from: answer)
        print("session \(outcome.id) is closing with \(outcome.code)")
    }

    private func closeMany() throws {
        let filter = self.filter
        let order = OrderOfMany(
            route: filter.place.route, backend: filter.backend, endpoint: filter.place.endpoint,
            client: filter.place.client,
            subject: filter.subject, all: self.all ? true : nil, code: self.codeOfAll, reason: self.reasonOfAll,
            keepingOut: self.keepingOut)
        let answer = try self.gateway.ask(
            "POST", "/api/sessions/close" + (self.isDryRun ? "?dry-run=true" : ""), order)
        let count = try JSONDecoder().decode(OutcomeOfMany.self, from: answer).matched
        let sessions = "\(count) session\(count == 1 ? "" : "s")"
        guard !self.isDryRun else { return print("\(sessions) would close") }
        print("\(sessions) \(count == 1 ? "is" : "are") closing with \(self.codeOfAll ?? CloseOrder.defaultCode)")
    }
}
