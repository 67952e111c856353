internal import Configuration
internal import DataPlane
internal import Observability
internal import System

/// What the workers counted and the state of the endpoints, as the control thread gathered them. Rows and metrics are made of it on any
/// thread, because with thousands of routes and backends that would hold up the control thread.
struct GatewayCounts: Sendable {
    private let active: ActiveConfiguration
    private let snapshots: [MetricsSnapshot]
    /// Bytes of messages in workers' mailboxes.
    private let inMailboxes: Int
    private let backends: [BackendReport]

    /// - Parameter snapshots: one of each worker.
    init(_ active: ActiveConfiguration, _ snapshots: [MetricsSnapshot], inMailboxes: Int, backends: [BackendReport]) {
        self.active = active
        self.snapshots = snapshots
        self.inMailboxes = inMailboxes
        self.backends = backends
    }

    var rows: [BackendRow] { self.rows(self.counted) }

    func families(control: MetricsSnapshot.Control, droppedLines: UInt64, version: String) -> [MetricFamily] {
        let counted = self.counted
        return counted.families(
            control: control, backends: self.rows(counted).families + self.backends.families,
            droppedLines: droppedLines, version: version, usage: .now())
    }

    private var counted: MetricsSnapshot {
        let routes = self.active.routes.compactMap { route in
            route.backend.map { (name: route.settings.name, backend: $0.name) }
        }
        var all = MetricsSnapshot(routes)
        for snapshot in self.snapshots { all.add(snapshot) }
        all.memory[.mailbox] = self.inMailboxes
        return all
    }

    private func rows(_ counted: MetricsSnapshot) -> [BackendRow] {
        let open = counted.openByBackend
        return self.backends.map { $0.row(sessions: open[$0.backend.name] ?? 0) }
    }
}
