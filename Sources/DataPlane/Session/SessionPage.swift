/// A page of the table, of one worker or of all.
public struct SessionPage: Sendable {
    /// The rows with their places, in their order.
    public var rows: [(position: SessionQuery.Position, row: SessionRow)] = []
    /// How many sessions the filter has, on all pages.
    public var total = 0
    /// Whether there are more behind the last row.
    public var hasMore = false

    /// An empty page.
    public init() {}

    /// The page of all workers.
    public init(_ pages: [SessionPage], limit: Int) {
        self.total = pages.reduce(0) { $0 + $1.total }
        let rows = pages.flatMap(\.rows).sorted { $0.position < $1.position }
        self.rows = Array(rows.prefix(limit))
        self.hasMore = rows.count > limit || pages.contains(where: \.hasMore)
    }
}
