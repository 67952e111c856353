/// A table of sessions in aligned columns.
struct SessionTable {
    struct Listing: Decodable {
        var sessions: [Session]
        /// Where the next page begins; `nil`: this is the last one.
        var next: String?
    }

    struct Session: Decodable {
        var id: String
        var route: String
        var backend: String?
        var endpoint: String?
        var client: String
        var subject: String?
        var phase: String
        var ageSeconds: Double
        var idleSeconds: Double
        var messagesToBackend: UInt64
        var messagesToClient: UInt64
        var queuedForClient: Int
        var queuedForBackend: Int
        var clientRttSeconds: Double?
        var backendRttSeconds: Double?
        /// Messages per second; only in the order of rates.
        var rate: Double?
    }

    private static let columns: [TextTable<Session>.Column] = [
        .init("ID") { $0.id },
        .init("CLIENT") { $0.client },
        .init("ROUTE") { $0.route },
        .init("ENDPOINT") { $0.endpoint ?? $0.backend ?? "-" },
        .init("SUBJECT") { $0.subject ?? "-" },
        .init("PHASE") { $0.phase },
        .init("AGE", isNumber: true) { Self.time($0.ageSeconds) },
        .init("IDLE", isNumber: true) { Self.time($0.idleSeconds) },
        .init("TO BACKEND", isNumber: true) { "\($0.messagesToBackend)" },
        .init("TO CLIENT", isNumber: true) { "\($0.messagesToClient)" },
        .init("RATE", isNumber: true) { $0.rate.map { Self.rate($0, hasDecimal: $0 != 0) } ?? "-" },
        .init("QUEUED", isNumber: true) { "\($0.queuedForClient &+ $0.queuedForBackend)" },
        .init("RTT", isNumber: true) { Self.roundTrips($0) },
    ]

    let lines: [String]

    /// With the end of each line.
    var text: String { self.lines.map { $0 + "\n" }.joined() }

    init(_ sessions: [Session]) {
        guard !sessions.isEmpty else {
            self.lines = ["no sessions"]
            return
        }
        let hasRates = sessions.contains { $0.rate != nil }
        self.lines = TextTable(Self.columns.filter { hasRates || $0.title != "RATE" }, sessions).lines
    }

    /// A rate per second: `0`, `0.4`, `12`; with a decimal, `0.4` and `12.3`.
    static func rate(_ rate: Double, hasDecimal: Bool = false) -> String {
        let rate = self.countable(rate)
        return rate == 0 || (rate >= 10 && !hasDecimal) ? "\(Int(rate.rounded()))" : "\((rate * 10).rounded() / 10)"
    }

    /// A duration as `850ms`, `12s`, `3m05s`, `2h07m` or `4d03h`.
    static func time(_ seconds: Double) -> String {
        let seconds = self.countable(seconds)
        if seconds < 1 { return "\(Int(seconds * 1000))ms" }
        let whole = Int(seconds)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        switch whole {
        case ..<60: return "\(whole)s"
        case ..<3600: return "\(whole / 60)m\(two(whole % 60))s"
        case ..<86400: return "\(whole / 3600)h\(two(whole / 60 % 60))m"
        default: return "\(whole / 86400)d\(two(whole / 3600 % 24))h"
        }
    }

    /// What fits an integer: whatever answers at the address must not end the command.
    private static func countable(_ number: Double) -> Double { min(max(number, 0), 1e15) }

    /// The round trip to the client and, after a slash, to the backend, in milliseconds.
    private static func roundTrips(_ session: Session) -> String {
        let texts = [session.clientRttSeconds, session.backendRttSeconds].map { seconds in
            seconds.map { "\(($0 * 10_000).rounded() / 10)ms" }
        }
        switch (texts[0], texts[1]) {
        case (nil, nil): return "-"
        case (let client, nil): return client ?? "-"
        case (let client, let backend?): return "\(client ?? "-")/\(backend)"
        }
    }
}
