internal import Configuration
internal import System

/// What `gateway top` shows: what the whole gateway does, and a table of sessions.
struct TopView {
    struct Status: Decodable {
        var version: String
        var uptimeSeconds: Double
        var sessions: Int
        var draining: Bool
    }

    struct History: Decodable {
        struct Point: Decodable {
            var opens: UInt64
            var closes: [String: UInt64]
            var messages: UInt64
        }

        var stepSeconds: Double
        var points: [Point]
    }

    let status: Status
    let history: History
    let sessions: SessionTable.Listing
    /// Why there is nothing newer; `nil`: there is.
    var problem: String?

    init(status: Status, history: History, sessions: SessionTable.Listing) {
        self.status = status
        self.history = history
        self.sessions = sessions
    }

    /// All of it.
    var lines: [String] { [self.head, ""] + SessionTable(self.sessions.sessions).lines }

    /// As much of it as fits. A line that does not ends with an ellipsis.
    func lines(fitting size: Terminal.Size) -> [String] {
        self.lines.prefix(size.rows).map { line in
            line.count <= size.columns ? line : line.prefix(max(0, size.columns - 1)) + "…"
        }
    }

    private var head: String {
        let status = self.status
        var parts = ["gateway \(status.version.printable)", "up \(SessionTable.time(status.uptimeSeconds))"]
        if let problem = self.problem { return (parts + [problem.printable]).joined(separator: "  ") }
        parts.append("\(status.sessions) session\(status.sessions == 1 ? "" : "s")")
        if let last = self.history.points.last {
            parts.append("\(self.rate(last.opens)) opens/s")
            parts.append("\(self.rate(last.closes.values.reduce(0, +))) closes/s")
            parts.append("\(self.rate(last.messages)) messages/s")
        }
        if status.draining { parts.append("draining") }
        return parts.joined(separator: "  ")
    }

    private func rate(_ count: UInt64) -> String { SessionTable.rate(Double(count) / max(1, self.history.stepSeconds)) }
}
