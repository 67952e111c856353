internal import Admin
internal import ArgumentParser
internal import Configuration
internal import DataPlane
internal import FoundationEssentials
internal import System

/// `gateway top`.
struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Watch the live sessions of the running gateway in the terminal.",
        discussion: """
            The first lines say what the whole gateway does; its rates are those of the last 10 seconds. The table has the sessions that \
            are first by --sort, as many as fit. RATE is messages per second in both directions since the look before. A line that is wider than \
            the terminal ends with `…`. q or Ctrl-C ends it. Where standard output is no terminal, one table is printed.

            EXAMPLES
              gateway top
              gateway top --sort -queue --route chat
              gateway top | head -20
            """)

    @Option(
        help: ArgumentHelp("The time between two looks, such as 500ms or 10s. (default: 2s)", valueName: "duration"))
    var interval: String?

    @Option(parsing: .unconditional, help: "The greatest first: -queue, -rtt, -age or -rate. (default: -rate)")
    var sort: String?

    @OptionGroup var filter: SessionFilterOptions

    @OptionGroup var gateway: AdminOptions

    /// How many sessions are printed where there is no terminal.
    private static let printed = 50

    func validate() throws { _ = try self.pause() }

    private func pause() throws -> Duration {
        guard let text = self.interval else { return .seconds(2) }
        guard let duration = Duration(written: text, within: .milliseconds(100)...(.seconds(3600))) else {
            throw ValidationError("--interval is a duration from 100ms to 1h.")
        }
        return duration
    }

    func run() throws {
        var view: TopView
        var rates = SessionRates()
        do { view = try self.look(most: Self.printed, &rates) } catch let problem as AdminOptions.Problem {
            throw AdminOptions.failed(problem.text)
        }
        guard Terminal.isThere else { return print(view.lines.joined(separator: "\n")) }
        let (loop, pause) = (try EventLoop(), try self.pause())
        let signals = [SignalSource.interrupt, SignalSource.terminate, SignalSource.hangUp, SignalSource.windowChanged]
        SignalSource.block(signals)
        var (isOver, isDrawn) = (false, false)
        try SignalSource.open(signals, on: loop) {
            if $0 == SignalSource.windowChanged { isDrawn = false } else { isOver = true }
        }
        let terminal = Terminal()
        defer { terminal.leave() }
        try terminal.keys(on: loop) { if [UInt8(ascii: "q"), UInt8(ascii: "Q")].contains($0) { isOver = true } }
        var next = MonotonicInstant.now()
        while !isOver {
            if next <= .now() {
                do { view = try self.look(most: terminal.size.rows, &rates) } catch let problem as AdminOptions.Problem
                {
                    view.problem = problem.text
                }
                (next, isDrawn) = (.now() + pause, false)
            }
            if !isDrawn { terminal.show(view.lines(fitting: terminal.size)) }
            isDrawn = true
            loop.turn(waitingAtMost: max(.zero, next - .now()))
        }
    }

    /// Asks the gateway.
    ///
    /// - Parameters:
    ///   - most: how many sessions can be shown.
    ///   - rates: those since the look before.
    private func look(most: Int, _ rates: inout SessionRates) throws -> TopView {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let order = self.sort ?? "-rate"
        let isByRate = order == "-rate"
        // Which have the highest rates is known when all were looked at.
        let limit = isByRate ? SessionQuery.longestPage : max(1, min(most, SessionQuery.longestPage))
        let target = AdminClient.target(
            "/api/sessions", self.filter.parameters + [("sort", order), ("limit", "\(limit)")])
        var listing = try decoder.decode(SessionTable.Listing.self, from: self.gateway.quietly("GET", target))
        listing.sessions = rates.rated(listing.sessions, at: .now())
        if isByRate { listing.sessions.sort { $0.rate ?? 0 > $1.rate ?? 0 } }
        listing.sessions = Array(listing.sessions.prefix(max(1, most)))
        return TopView(
            status: try decoder.decode(TopView.Status.self, from: self.gateway.quietly("GET", "/api/status")),
            history: try decoder.decode(TopView.History.self, from: self.gateway.quietly("GET", "/api/history")),
            sessions: listing)
    }
}
