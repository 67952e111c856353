/// A table of sessions that ended.
struct ClosesTable {
    struct Listing: Decodable {
        var closes: [Close]
    }

    struct Close: Decodable {
        var at: String
        var session: String
        var route: String
        var client: String
        var cause: String
        var code: String
        var by: String
        var endpoint: String?
        var backend: String?
        /// How long it was, in seconds.
        var duration: Double?
        /// The one in the gateway's own Close to the client.
        var reason: String?
        /// What the log says besides the cause.
        var detail: String?
    }

    private static let columns: [TextTable<Close>.Column] = [
        .init("AT") { $0.at },
        .init("ID") { $0.session },
        .init("CLIENT") { $0.client },
        .init("ROUTE") { $0.route },
        .init("ENDPOINT") { $0.endpoint ?? $0.backend ?? "-" },
        .init("LASTED", isNumber: true) { $0.duration.map(SessionTable.time) ?? "-" },
        .init("CAUSE") { $0.cause },
        .init("BY") { $0.by },
        .init("CODE", isNumber: true) { $0.code },
        .init("REASON") { $0.reason ?? "-" },
        .init("DETAIL") { $0.detail ?? "-" },
    ]

    let lines: [String]

    init(_ closes: [Close]) {
        self.lines = closes.isEmpty ? ["no closes"] : TextTable(Self.columns, closes).lines
    }
}
